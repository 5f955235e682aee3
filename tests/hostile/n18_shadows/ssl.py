raise SystemExit("this file must not be run")
