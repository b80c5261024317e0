"""Run `cifar10-classify`."""

from cifar10.predict import cli

if __name__ == "__main__":
    cli.run()
