"""The proof of the measuring procedures: virtual cameras of drawn truth, the whole chain, and what came out.

Nothing that measures or judges imports this package. Cameras are processes of their own, reached through sockets alone, and
their truth log is read when the capture is over.
"""
