"""A command whose options are given once each."""

from typing import Any

from typer.core import TyperCommand, TyperOption


class Once(TyperCommand):
    """An option of one value that is given twice is wrong usage; the parser would take the last and lose the others."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the parser does, whose order of what it found tells what came more than once."""
        order: list[Any] = self.make_parser(ctx).parse_args(args=list(args))[2]
        single = [each for each in order if isinstance(each, TyperOption) and not each.multiple and not each.is_flag]
        twice = dict.fromkeys(max(each.opts, key=len) for each in single if single.count(each) > 1)
        if twice:
            ctx.fail(f"given more than once, where one value is allowed: {', '.join(twice)}. Give each once.")
        return super().parse_args(ctx, args)
