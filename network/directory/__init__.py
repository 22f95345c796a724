"""What the directory knows without a database: names of States and languages, hours, channels, words."""
