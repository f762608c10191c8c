"""Completion scripts, made from the parser."""

from __future__ import annotations

import argparse

from maskcodec.cli._parser import parser

__all__ = ["script"]


def _table() -> dict[str, list[str]]:
    """Verb -> its options."""
    top = parser()
    verbs = next(a for a in top._actions if isinstance(a, argparse._SubParsersAction))
    return {
        name: sorted(option for action in made._actions for option in action.option_strings if option[:2] == "--")
        for name, made in verbs.choices.items()
    }


def script(shell: str) -> str:
    """The script of a shell; ``eval "$(maskcodec completion bash)"`` makes it work."""
    from maskcodec.registry import formats

    table, names = _table(), " ".join(formats())
    verbs = " ".join(table)
    if shell == "fish":
        lines = [f"complete -c maskcodec -n __fish_use_subcommand -f -a '{verbs}'"]
        for verb, own in table.items():
            lines += [f"complete -c maskcodec -n '__fish_seen_subcommand_from {verb}' -l {o[2:]}" for o in own]
        lines.append(f"complete -c maskcodec -l to -x -a '{names}'")
        lines.append(f"complete -c maskcodec -l from -x -a '{names}'")
        return "\n".join(lines)
    cases = "\n".join(f"    {verb}) words='{' '.join(own)}' ;;" for verb, own in table.items())
    text = f"""_maskcodec() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=''
  if [ "$before" = --to ] || [ "$before" = --from ]; then
    COMPREPLY=($(compgen -W '{names}' -- "$current")); return
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{verbs}' -- "$current")); return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}}
complete -o filenames -F _maskcodec maskcodec"""
    return f"autoload -U +X bashcompinit && bashcompinit\n{text}" if shell == "zsh" else text
