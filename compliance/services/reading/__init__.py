"""Reading data: files, folders, SQL tables and frames, each as one table of columns, in memory once.

A reader opens what it is given and nothing that the data name: no address, no link, no pickle. It raises InvalidInput
with file and line for what cannot be read, and never puts a value of a row into a message.
"""

from compliance.services.reading.files import read_table
from compliance.services.reading.table import MISSING, Table

__all__ = ["MISSING", "Table", "read_table"]
