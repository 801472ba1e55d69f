"""What users do with the command line: each scenario runs commands and checks their answers."""
