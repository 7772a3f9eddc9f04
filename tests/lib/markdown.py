"""The tables of a Markdown page as data. Used by the tests that hold a page against the program."""
import re


def cells(line):
    """Of a row; a bar that is text is written \\|."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def tables(text):
    """The rows below each title, without the heads of the tables."""
    out, title = {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("|") and title:
            out.setdefault(title, []).append(cells(line))
    return {title: rows[2:] for title, rows in out.items()}


def unquoted(cell):
    return cell.strip("`")
