"""What a person may write in a workload file.

Bytes go in, a frozen and fully defaulted :class:`~workloadd.spec.model.WorkloadSpec` or every error
of the file with its position comes out.  Nothing here reads a file, a clock or an environment.
"""
