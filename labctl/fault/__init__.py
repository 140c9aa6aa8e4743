"""`labctl fault`: breaks a running lab on purpose, and mends it again; for people who teach, and to test the doctor.

A fault is a function from the lab (`scene.py`) to a change (`change.py`): steps that break it, steps that mend it. The
faults are in files of their subject; `faults.py` has them all. `inject.py` does the steps, `record.py` keeps book.
"""
