"""Where the process is told what it is: settings, the database's name, the job engine, the log's form."""
