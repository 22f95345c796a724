"""Where sealed chunks of files lie: on the disk of this machine, or in an S3-compatible store."""
