def main() -> None:
    """Run the `praetor` command."""
