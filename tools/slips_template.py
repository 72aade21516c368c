#!/usr/bin/env python3
"""Makes slips in the templates, one at a time, and demands that a test notices each.

    tools/slips_template.py                      every slip
    tools/slips_template.py --sample 300 --seed 7
    tools/slips_template.py 'template.yaml/Resources/Table/Properties/TimeToLiveSpecification/Enabled: true -> false'
    tools/slips_template.py --list

A slip is structural: it removes a member or an item, or turns a value into another of its kind.
Anchors, aliases and merge keys are written out first, so a slip is at one place only. A slip is
noticed if a test that reads the template fails, or if cfn-lint refuses it. The tests are the
modules of TESTS, in the compiled test target `api`; nothing is compiled for a slip.

tools/slips_template.equivalent lists the slips that change nothing, each with its reason. The
results are in target/slips/template.json. Exit code: 0 if every slip is noticed or equivalent,
1 if one survived, 2 if the list of equivalents or the call is wrong.

Needs cfn-lint and PyYAML, which cfn-lint brings (tools/tools.sh).
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = ROOT / "tools" / "slips_template.equivalent"
RESULTS = ROOT / "target" / "slips" / "template.json"
ALARMS = {"AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter", "AWS::CloudFormation::Stack"}
# The tests that read the template: the fast ones for every slip, and slow ones for the slips that
# they can notice, by the section or the resource's type.
TESTS = [
    (["template::", "documents::", "routes::", "--skip", "patterns::"], None),
    (["documents::patterns::"], {"Parameters"}),
    (["alarms::other::"], ALARMS),
    (["alarms::every_alarm"], ALARMS),
    (["alarms::no_alarm"], ALARMS),
]
LINT = ["cfn-lint", "--format", "parseable"]

# Words for people, which nothing evaluates.
PROSE = {"Description", "AlarmDescription", "AssertDescription", "ConstraintDescription", "Label"}

# Values that have an opposite or a neighbour.
TURNS = {
    "Allow": ["Deny"],
    "Deny": ["Allow"],
    "GreaterThanOrEqualToThreshold": ["GreaterThanThreshold", "LessThanThreshold"],
    "LessThanThreshold": ["LessThanOrEqualToThreshold", "GreaterThanOrEqualToThreshold"],
    "Sum": ["Average"],
    "Average": ["Sum"],
    "Maximum": ["Minimum"],
    "notBreaching": ["breaching", "missing"],
    "Retain": ["Delete"],
    "RetainExceptOnCreate": ["Delete", "Retain"],
    "HASH": ["RANGE"],
    "RANGE": ["HASH"],
    "S": ["N"],
    "KMS": ["AES256"],
    "PAY_PER_REQUEST": ["PROVISIONED"],
    "REGIONAL": ["EDGE"],
    "RSA_2048": ["RSA_4096"],
    "HMAC_256": ["HMAC_512"],
    "RSASSA_PKCS1_V1_5_SHA_256": ["RSASSA_PSS_SHA_256"],
    "HMAC_SHA_256": ["HMAC_SHA_512"],
    "DIGEST": ["RAW"],
    "GET": ["POST"],
    "POST": ["GET"],
    "OPTIONS": ["HEAD"],
    "String": ["Number"],
    "Number": ["String"],
    "on": ["off"],
    "off": ["on"],
}
# Names of members that have one.
NAMES = {
    "Action": ["NotAction"],
    "Resource": ["NotResource"],
    "NotResource": ["Resource"],
    "AlarmActions": ["InsufficientDataActions"],
    "OKActions": ["InsufficientDataActions"],
    "StringEquals": ["StringNotEquals", "StringEqualsIfExists"],
    "StringEqualsIgnoreCase": ["StringNotEqualsIgnoreCase", "StringEqualsIgnoreCaseIfExists"],
    "ArnEquals": ["ArnNotEquals", "ArnEqualsIfExists"],
    "ForAnyValue:StringLike": ["ForAllValues:StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotLike"],
    "post": ["get"],
    "get": ["post"],
    "options": ["head"],
    "MinLength": ["MaxLength"],
    "MinValue": ["MaxValue"],
}
FUNCTIONS = {"!And": "!Or", "!Or": "!And"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def load(path):
    """The nodes of a template, with anchors and merge keys written out."""

    def plain(node):
        if isinstance(node, yaml.ScalarNode):
            return yaml.ScalarNode(node.tag, node.value, style=node.style)
        if isinstance(node, yaml.SequenceNode):
            return yaml.SequenceNode(node.tag, [plain(item) for item in node.value])
        own, merged = {}, {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                maps = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for one in reversed(maps):
                    merged.update((k.value, (k, v)) for k, v in plain(one).value)
            else:
                own[key.value] = (plain(key), plain(value))
        return yaml.MappingNode(node.tag, list({**merged, **own}.values()))

    return plain(yaml.compose(path.read_text(), Loader=yaml.SafeLoader))


def text(node):
    """A node in one line, for people."""
    if isinstance(node, yaml.ScalarNode):
        own = node.tag.startswith("!")
        shown = f"{node.tag} {node.value}" if own else node.value
    else:
        shown = yaml.serialize(node).strip()
    shown = " ".join(shown.split())
    return shown if len(shown) <= 60 else shown[:57] + "..."


def node_of(plain):
    return yaml.compose(json.dumps(plain), Loader=yaml.SafeLoader)


def scalar(like, value):
    return yaml.ScalarNode(like.tag, value, style=like.style)


def label(item, index):
    """What tells an item of a list from the others."""
    if isinstance(item, yaml.MappingNode):
        members = {key.value: value.value for key, value in item.value}
        if "ResourcePath" in members:
            return f"{members['HttpMethod']} {members['ResourcePath'].replace('/', '')}"
        for name in ("Sid", "Id", "Name", "AttributeName", "MetricName"):
            if isinstance(members.get(name), str):
                return members[name]
    return str(index)


class Template:
    def __init__(self, root):
        self.root = root
        self.types = {}
        for section in ("Parameters", "Resources"):
            for name, value in self.section(section):
                kind = next((v.value for k, v in value.value if k.value == "Type"), None)
                self.types[name] = (section, kind)
        self.conditions = [name for name, _ in self.section("Conditions")]

    def section(self, name):
        for key, value in self.root.value:
            if key.value == name:
                return [(k.value, v) for k, v in value.value]
        return []

    def sibling(self, name):
        """The next parameter or resource of the same type."""
        same = [other for other, kind in self.types.items() if kind == self.types.get(name)]
        if len(same) < 2 or name not in same:
            return None
        return same[(same.index(name) + 1) % len(same)]

    def kind(self, way):
        """The section of a place, or the type of its resource."""
        if not way:
            return None
        section, members = self.root.value[way[0]]
        if section.value != "Resources" or len(way) == 1:
            return section.value
        name = members.value[way[1]][0].value
        return self.types[name][1]

    def other_condition(self, name):
        if name not in self.conditions:
            return None
        return self.conditions[(self.conditions.index(name) + 1) % len(self.conditions)]

    def slips(self):
        """Each slip: its name, the way to the changed node, and the change of its parent."""
        yield from self.below(self.root, [], [])

    def below(self, node, names, way):
        for added, node_added in self.additions(names):
            yield f"{'/'.join(names)}: added {added}", way, ("add", len(node.value), node_added)
        if isinstance(node, yaml.MappingNode):
            for index, (key, value) in enumerate(node.value):
                if key.value in PROSE or key.value == "Metadata" and not names:
                    continue
                at = [*names, key.value.replace("/", "~")]
                yield "/".join(at) + ": removed", way, ("remove", index)
                for name in NAMES.get(key.value, []):
                    yield f"{'/'.join(at)}: named {name}", way, ("rename", index, name)
                if names and names[-1] == "Variables" and isinstance(value, yaml.ScalarNode):
                    other = node.value[(index + 1) % len(node.value)]
                    yield f"{'/'.join(at)}: given {other[0].value}'s", way, ("replace", index, other[1])
                yield from self.turns(value, at, way, index)
                yield from self.below(value, at, [*way, index])
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                at = [*names, label(item, index)]
                if node.tag in ("!If", "!Equals", "!Not", "!And", "!Or"):
                    at = [*names, f"{node.tag}-{index}"]
                elif len(node.value) > 0:
                    yield "/".join(at) + ": removed", way, ("remove", index)
                yield from self.turns(item, at, way, index, node.tag)
                yield from self.below(item, at, [*way, index])

    def additions(self, names):
        """What somebody might add."""
        if names[-1:] == ["Statement"]:
            yield "everything allowed", node_of({"Effect": "Allow", "Action": "*", "Resource": "*"})
        if len(names) == 3 and names[2] == "Properties" and self.types[names[1]][1] == "AWS::CloudWatch::Alarm":
            yield "ActionsEnabled: false", (node_of("ActionsEnabled"), node_of(False))

    def turns(self, node, names, way, index, within=None):
        at = "/".join(names)
        for to in self.others(node, names, index, within):
            new = to if isinstance(to, yaml.Node) else scalar(node, to)
            if value(new) == value(node):
                continue
            yield f"{at}: {text(node)} -> {text(new)}", way, ("replace", index, new)

    def others(self, node, names, index, within):
        """What else a node could be."""
        if isinstance(node, yaml.SequenceNode):
            if node.tag == "!If":
                condition, yes, no = node.value
                yield yaml.SequenceNode("!If", [condition, no, yes])
                yield yes
                yield no
            elif node.tag == "!Not":
                yield node.value[0]
            elif node.tag in FUNCTIONS:
                yield yaml.SequenceNode(FUNCTIONS[node.tag], node.value)
            return
        if not isinstance(node, yaml.ScalarNode):
            return
        value, member = node.value, names[-1]
        if node.tag in ("!Ref", "!GetAtt"):
            name, dot, attribute = value.partition(".")
            if self.sibling(name):
                yield self.sibling(name) + dot + attribute
            if "Resource" in names[-2:] or "Resource" in names[-3:]:
                yield yaml.ScalarNode("tag:yaml.org,2002:str", "*", style='"')
        elif node.tag == "!Condition" or within == "!If" and index == 0 or member == "Condition" and len(names) == 3:
            if self.other_condition(value):
                yield self.other_condition(value)
        elif node.tag == "!Sub":
            yield from self.widened(node)
            for name in dict.fromkeys(re.findall(r"\$\{([A-Za-z]\w*)", value)):
                if self.sibling(name):
                    yield value.replace("${" + name, "${" + self.sibling(name))
        elif value in TURNS:
            yield from TURNS[value]
        elif node.tag == "tag:yaml.org,2002:bool":
            yield "false" if value == "true" else "true"
        elif NUMBER.fullmatch(value):
            if "." in value:
                yield f"{float(value) * 1.25:g}"
                yield f"{float(value) * 0.75:g}"
            else:
                yield str(int(value) + 1)
                yield str(int(value) - 1)
        elif member == "FilterPattern":
            parts = value.strip("{} ").split(" || ")
            for part in parts:
                yield "{ " + " || ".join(other for other in parts if other != part) + " }"
                yield value.replace(part, part.rstrip('"') + '-other"')
        elif member == "AllowedPattern":
            yield "^.*$"
            yield value.removeprefix("^").removesuffix("$")
        elif re.search(r"\d", value) and member in ("application/json", "Expression", "Retry-After"):
            found = re.search(r"\d+", value)
            yield value[: found.start()] + str(int(found[0]) + 1) + value[found.end() :]
        elif "Action" in names[-2:] and ":" in value:
            yield value.split(":")[0] + ":*"
            yield value.split(":")[0] + ":Other"
        elif value.endswith("*") and len(value) > 1:
            yield "*"
            yield value[:-1]
        elif value == "*":
            yield "other"
        else:
            yield value + "-other" if value else "other"

    def widened(self, node):
        """An ARN or a name with its last part open; a text with another end."""
        value = node.value
        start, separator, end = value.rpartition("/")
        if value.startswith("arn:") and "Partition" in value:
            if separator and end != "*":
                yield f"{start}/*"
            yield yaml.ScalarNode("tag:yaml.org,2002:str", "*", style='"')
        yield value + "-other"

    def changed(self, way, change):
        """The template with one slip. Only the nodes on the way to it are copied."""
        return rebuilt(self.root, way, change)


def rebuilt(node, way, change):
    values = list(node.value)
    new = type(node)(node.tag, values)
    index = way[0] if way else change[1]
    was = values[index] if index < len(values) else None
    if way:
        below = rebuilt(was[1] if isinstance(was, tuple) else was, way[1:], change)
        values[index] = (was[0], below) if isinstance(was, tuple) else below
    elif change[0] == "remove":
        del values[index]
    elif change[0] == "add":
        values.append(change[2])
    elif change[0] == "rename":
        values[index] = (scalar(was[0], change[2]), was[1])
    else:
        values[index] = (was[0], change[2]) if isinstance(was, tuple) else change[2]
    return new


def value(node):
    """A node as JSON has it, which is YAML too: each function in its long form."""
    if isinstance(node, yaml.SequenceNode):
        plain = [value(item) for item in node.value]
    elif isinstance(node, yaml.MappingNode):
        plain = {key.value: value(of) for key, of in node.value}
    elif node.tag == "tag:yaml.org,2002:bool":
        plain = node.value == "true"
    elif node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
        plain = json.loads(node.value)
    else:
        plain = node.value
    if not node.tag.startswith("!"):
        return plain
    name = node.tag[1:]
    return {name if name in ("Ref", "Condition") else "Fn::" + name: plain}


def written(root):
    return json.dumps(value(root), indent=1)


def all_slips(paths):
    """Name: (which file, its template, the way to the change, the change)."""
    slips = {}
    for path in paths:
        template = Template(load(path))
        start = "" if len(paths) == 1 else path.name + "/"
        for name, way, change in template.slips():
            same = sum(known.startswith(start + name) for known in slips) if start + name in slips else 0
            slips[start + name + f" ({same + 1})" * bool(same)] = (path, template, way, change)
    return slips


def binary():
    """The compiled test target, which cargo builds if it is not."""
    build = ["cargo", "test", "--workspace", "--locked", "--test", "api", "--no-run", "--message-format=json"]
    run = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    # The programs that the tests start are built with them, in no fixed order.
    made = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return next(one["executable"] for one in made if one.get("target", {}).get("kind") == ["test"])


def judge(program, paths, path, changed, kind=None):
    """Who notices: the first test that fails, else cfn-lint, else nobody."""
    with tempfile.TemporaryDirectory(prefix="slips-") as directory:
        for other in paths:
            (Path(directory) / other.name).write_text(changed if other == path else other.read_text())
        environment = {
            **os.environ,
            "OTP_TEMPLATE": str(Path(directory) / paths[0].name),
            "RUST_BACKTRACE": "0",
            "RUST_MIN_STACK": "8388608",
            "PROPTEST_CASES": "64",
            "PROPTEST_MAX_SHRINK_ITERS": "0",
            "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1",
        }
        for group, kinds in TESTS:
            if kind and kinds and kind not in kinds:
                continue
            run = subprocess.run(
                [program, *group, "--test-threads=1"], cwd=ROOT / "tests", env=environment,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
            )
            failed = re.findall(r"^test (\S+) \.\.\. FAILED$", run.stdout, re.MULTILINE)
            if failed or run.returncode != 0:
                return failed or [f"the tests end with {run.returncode}"]
        lint = subprocess.run([*LINT, str(Path(directory) / path.name)], capture_output=True, text=True)
        if lint.returncode & 2:
            found = re.search(r":(E\d+):", lint.stdout)
            return [f"cfn-lint {found[1] if found else ''}"]
    return []


def equivalents():
    """Pattern of names: reason."""
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    pairs = [line.split(" | ", 1) for line in lines if line and not line.startswith("#")]
    return {pattern.strip(): reason.strip() for pattern, reason in pairs}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="slips to try; each may be a pattern such as '*Threshold*'")
    parser.add_argument("--templates", nargs="+", type=Path, default=[ROOT / "template.yaml", ROOT / "alarms.yaml", ROOT / "pipe.yaml"],
                        help="the template and those that are nested in it")
    parser.add_argument("--sample", type=int, help="try this many, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--program", help="the compiled test target, instead of asking cargo for it")
    parser.add_argument("--list", action="store_true", help="print the names, and try nothing")
    asked = parser.parse_args()

    slips = all_slips(asked.templates)
    names = list(slips)
    if asked.names:
        names = [name for name in names if any(name == want or fnmatch.fnmatchcase(name, want) for want in asked.names)]
    if asked.sample and asked.sample < len(names):
        names = sorted(random.Random(asked.seed).sample(names, asked.sample), key=list(slips).index)
    if asked.list:
        print(*names, sep="\n")
        return 0
    if not names:
        print("no such slip", file=sys.stderr)
        return 2

    known = equivalents()
    for of in known:
        if not any(fnmatch.fnmatchcase(name, of) for name in slips):
            print(f"{EQUIVALENT.name}: no slip is {of}", file=sys.stderr)
            return 2
    program, start = asked.program or binary(), time.monotonic()
    plain = {path: written(load(path)) for path in asked.templates}
    for path in asked.templates:  # The fast tests: `cargo test` runs all of them on the template.
        if by := judge(program, asked.templates, path, plain[path], "no slip"):
            print(f"{path.name} as it is, with its anchors written out: {by}", file=sys.stderr)
            return 2
    reason_of = {name: next((why for of, why in known.items() if fnmatch.fnmatchcase(name, of)), None) for name in names}

    def attempt(name):
        path, template, way, change = slips[name]
        changed = written(template.changed(way, change))
        if changed == plain[path]:
            raise SystemExit(f"{name} changes nothing")
        return judge(program, asked.templates, path, changed, template.kind(way))

    results = {}
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        tried = [name for name in names if reason_of[name] is None]
        found = pool.map(attempt, tried)
        for name, by in zip(tried, found):
            results[name] = {"end": "noticed" if by else "survived", "by": by}
            if not by:
                print("survived:", name, flush=True)
    for name in names:
        if reason_of[name]:
            results[name] = {"end": "equivalent", "why": reason_of[name]}

    took = time.monotonic() - start
    count = Counter(result["end"] for result in results.values())
    by = Counter(result["by"][0].split(" ")[0] for result in results.values() if result["end"] == "noticed")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"seconds": round(took), "count": count, "slips": results}, indent=1) + "\n")
    print(f"tried {len(names)}, noticed {count['noticed']} ({by['cfn-lint']} of them by cfn-lint), "
          f"equivalent {count['equivalent']}, survived {count['survived']}, in {took:.0f} s")
    return 1 if count["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
