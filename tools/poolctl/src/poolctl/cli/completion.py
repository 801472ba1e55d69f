"""The command completion: what a shell needs to complete the words of poolctl."""

import click

from poolctl.cli.session import NAME


def register(app: click.Group) -> None:
    """Add the command to the command line."""
    app.add_command(completion)


@click.command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of poolctl for a shell, to be read by its start file.

    \b
    Examples:
      echo 'eval "$(poolctl completion bash)"' >> ~/.bashrc
      echo 'eval "$(poolctl completion zsh)"' >> ~/.zshrc
      poolctl completion fish > ~/.config/fish/completions/poolctl.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, "click completes in each of these shells"
    complete = found(context.find_root().command, {}, NAME, f"_{NAME.upper()}_COMPLETE")
    click.echo(complete.source())
