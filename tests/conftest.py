"""The dojo's fixtures for every test, also under a plain `pytest` and an editor's test panel."""

pytest_plugins = ["dojo.plugin"]
