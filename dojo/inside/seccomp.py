"""System calls that no kata needs and that would reach out of the sandbox, or get round its limits: refused by the
kernel (seccomp(2), a filter in the classic BPF of linux/filter.h).

What is refused: new namespaces and mounts (a file system of one's own has no limit on its size), looking into other
processes or changing their limits and priorities, memory that belongs to no process (memfd, System V), what is known
for holes (io_uring, bpf, userfaultfd, keyrings), and sockets other than Unix and Internet ones (a vsock leaves the
machine past every network namespace).
"""

from __future__ import annotations

import ctypes
import errno
import os
from struct import pack

REFUSED = (
    "unshare setns mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr "
    "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp migrate_pages move_pages "
    "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl "
    "memfd_create memfd_secret shmget shmat semget msgget mq_open name_to_handle_at open_by_handle_at "
    "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct quotactl syslog "
    "settimeofday clock_settime adjtimex clock_adjtime fanotify_init sethostname setdomainname vhangup personality "
    "ioprio_set"
).split()
"""Refused with EPERM, whatever their arguments."""

OWN_ONLY = "prlimit64 sched_setparam sched_setscheduler sched_setattr sched_setaffinity".split()
"""Allowed where the first argument, a process, is 0: the caller itself."""

MODES = (
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat "
    "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat"
).split()
"""Not carried out, and no error either, where a student's process has the user's own id: Landlock leaves them alone,
and by them all that the user owns could be closed to the user. A machine need not have all of them."""

# The numbers of the system calls (asm/unistd.h).
X86_64 = """
    unshare=272 setns=308 mount=165 umount2=166 pivot_root=155 chroot=161 open_tree=428 move_mount=429 fsopen=430
    fsconfig=431 fsmount=432 fspick=433 mount_setattr=442 ptrace=101 process_vm_readv=310 process_vm_writev=311
    process_madvise=440 pidfd_getfd=438 kcmp=312 migrate_pages=256 move_pages=279 bpf=321 perf_event_open=298
    userfaultfd=323 io_uring_setup=425 io_uring_enter=426 io_uring_register=427 add_key=248 request_key=249
    keyctl=250 memfd_create=319 memfd_secret=447 shmget=29 shmat=30 semget=64 msgget=68 mq_open=240
    name_to_handle_at=303 open_by_handle_at=304 init_module=175 finit_module=313 delete_module=176 kexec_load=246
    kexec_file_load=320 reboot=169 swapon=167 swapoff=168 acct=163 quotactl=179 syslog=103 settimeofday=164
    clock_settime=227 adjtimex=159 clock_adjtime=305 fanotify_init=300 sethostname=170 setdomainname=171 vhangup=153
    personality=135 ioprio_set=251 prlimit64=302 sched_setparam=142 sched_setscheduler=144 sched_setattr=314
    sched_setaffinity=203 setpriority=141 clone=56 clone3=435 socket=41
    chmod=90 fchmod=91 fchmodat=268 fchmodat2=452 chown=92 fchown=93 lchown=94 fchownat=260 utime=132 utimes=235
    futimesat=261 utimensat=280 setxattr=188 lsetxattr=189 fsetxattr=190 setxattrat=463 removexattr=197
    lremovexattr=198 fremovexattr=199 removexattrat=466
"""
AARCH64 = """
    unshare=97 setns=268 mount=40 umount2=39 pivot_root=41 chroot=51 open_tree=428 move_mount=429 fsopen=430
    fsconfig=431 fsmount=432 fspick=433 mount_setattr=442 ptrace=117 process_vm_readv=270 process_vm_writev=271
    process_madvise=440 pidfd_getfd=438 kcmp=272 migrate_pages=238 move_pages=239 bpf=280 perf_event_open=241
    userfaultfd=282 io_uring_setup=425 io_uring_enter=426 io_uring_register=427 add_key=217 request_key=218
    keyctl=219 memfd_create=279 memfd_secret=447 shmget=194 shmat=196 semget=190 msgget=186 mq_open=180
    name_to_handle_at=264 open_by_handle_at=265 init_module=105 finit_module=273 delete_module=106 kexec_load=104
    kexec_file_load=294 reboot=142 swapon=224 swapoff=225 acct=89 quotactl=60 syslog=116 settimeofday=170
    clock_settime=112 adjtimex=171 clock_adjtime=266 fanotify_init=262 sethostname=161 setdomainname=162 vhangup=58
    personality=92 ioprio_set=30 prlimit64=261 sched_setparam=118 sched_setscheduler=119 sched_setattr=274
    sched_setaffinity=122 setpriority=140 clone=220 clone3=435 socket=198
    fchmod=52 fchmodat=53 fchmodat2=452 fchown=55 fchownat=54 utimensat=88 setxattr=5 lsetxattr=6 fsetxattr=7
    setxattrat=463 removexattr=14 lremovexattr=15 fremovexattr=16 removexattrat=466
"""

MACHINES = {"x86_64": (0xC000003E, X86_64), "aarch64": (0xC00000B7, AARCH64)}
"""By machine: the name of the architecture for the kernel (linux/audit.h), and its numbers."""

FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6 and netlink, by which the resolver asks for the machine's addresses."""

NAMESPACES = 0x7E020080
"""The flags of clone(2) that make a namespace: time, mount, cgroup, UTS, IPC, user, PID, network."""

LOAD, EQUAL, ANY_OF, AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE = 0, 4


def known() -> bool:
    """Whether the numbers of this machine's system calls stand here."""
    return os.uname().machine in MACHINES


def restrict() -> None:
    """Refuse these calls from now on, to this process and all that come from it. Raises OSError."""
    if known():
        _install(filtering(os.uname().machine))


def keep_modes() -> None:
    """Carry out none of MODES from now on, for this process and all that come from it. Raises OSError."""
    if known():
        _install(keeping(os.uname().machine))


def _install(program: bytes) -> None:
    held = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog; PR_SET_SECCOMP, SECCOMP_MODE_FILTER (prctl(2)). It asks for no_new_privs, which is set.
    told = pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(22, 2, ctypes.create_string_buffer(told, len(told)), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def _numbers(machine: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (entry.partition("=") for entry in MACHINES[machine][1].split())}


def keeping(machine: str) -> bytes:
    """The filter of keep_modes for this machine. It stands behind the other one, which knows the architecture."""
    numbers = _numbers(machine)
    made = _step(LOAD, NUMBER)
    for name in MODES:
        if name in numbers:
            made += _when(numbers[name], _step(RETURN, ERRNO))
    return b"".join([*made, *_step(RETURN, ALLOW)])


def filtering(machine: str) -> bytes:
    """The filter of restrict for this machine."""
    numbers = _numbers(machine)
    made = [
        *_step(LOAD, ARCHITECTURE),
        *_step(EQUAL, MACHINES[machine][0], 1, 0),
        *_step(RETURN, ERRNO | errno.ENOSYS),  # a 32-bit call, whose numbers are others
        *_step(LOAD, NUMBER),
        *_step(AT_LEAST, 0x40000000, 0, 1),  # x32: the same calls under other numbers
        *_step(RETURN, ERRNO | errno.ENOSYS),
    ]
    refuse = _step(RETURN, ERRNO | errno.EPERM)
    allow = _step(RETURN, ALLOW)
    for name in REFUSED:
        made += _when(numbers[name], refuse)
    for name in OWN_ONLY:
        made += _when(numbers[name], [*_argument(0), *_step(EQUAL, 0, 0, 1), *allow, *refuse])
    own = [*_argument(0), *_step(EQUAL, 0, 0, 3), *_argument(1), *_step(EQUAL, 0, 0, 1), *allow, *refuse]
    made += _when(numbers["setpriority"], own)  # PRIO_PROCESS of 0
    made += _when(numbers["clone"], [*_argument(0), *_step(ANY_OF, NAMESPACES, 0, 1), *refuse, *allow])
    # Its flags are in memory, which a filter cannot read; where it is not there, the C library takes clone.
    made += _when(numbers["clone3"], _step(RETURN, ERRNO | errno.ENOSYS))
    families = _argument(0)
    for left, family in zip(range(len(FAMILIES), 0, -1), FAMILIES, strict=True):
        families += _step(EQUAL, family, left, 0)
    made += _when(numbers["socket"], [*families, *_step(RETURN, ERRNO | errno.EAFNOSUPPORT), *allow])
    return b"".join([*made, *allow])


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> list[bytes]:
    return [pack("@HBBI", code, then, otherwise, value)]  # struct sock_filter


def _argument(number: int) -> list[bytes]:
    return _step(LOAD, 16 + 8 * number)  # the lower half: both machines are little-endian


def _when(number: int, body: list[bytes]) -> list[bytes]:
    return [*_step(EQUAL, number, 0, len(body)), *body]
