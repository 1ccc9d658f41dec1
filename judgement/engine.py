"""The version of the judging code; one more whenever the bytes of a verdict could change."""

ENGINE = "1"
