"""What is measured beside our own command: each module is a whole process. They run in an environment of their own."""
