"""The methods of measurement: one module a family, one test function a procedure.

Each test measures and calls ``judge``; limits live in the catalogue. The plugin (bench.plugin) makes one
pytest item per clause of the plan. Run them with ``bench run`` or with plain pytest:
``pytest --pyargs bench.conformance --scheme … --camera …``.
"""
