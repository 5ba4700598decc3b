"""The reference changed in one place: a proof of the checks, and look-alikes for the diagnosis.

``operators`` says which changes there are, ``mutants`` makes them, ``survivors`` runs them through
the hidden checks (``csnn validate --mutants``). ``questions`` changes what the reference is asked
instead of the reference; ``lookalikes`` offers both to the diagnosis as suspects of last resort.
"""
