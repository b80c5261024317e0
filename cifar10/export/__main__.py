"""Run `cifar10-export`."""

from cifar10.export import cli

if __name__ == "__main__":
    cli.run()
