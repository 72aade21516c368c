"""Holds the Terraform module to a release: python3 check.py FOLDER

Both files are HCL, every variable that an expression names is declared, the stack gets each
parameter of the template, and what the module replaces stands in the template exactly once.
"""

import re
import sys
from pathlib import Path

import hcl2

folder = Path(sys.argv[1])
texts = {path.name: path.read_text() for path in sorted(folder.glob("*.tf"))}
blocks = [hcl2.loads(text) for text in texts.values()]
template = (folder / "template-arm64.yaml").read_text()

declared = {name.strip('"') for block in blocks for variable in block.get("variable", []) for name in variable if not name.startswith("__")}
named = set(re.findall(r"\bvar\.(\w+)", "".join(texts.values())))
assert declared == named, f"declared or named only: {sorted(declared ^ named)}"

parameters = set(re.findall(r"^  ([A-Z]\w+):", template.split("\nParameters:\n")[1].split("\nRules:\n")[0].split("\nConditions:\n")[0], re.MULTILINE))
passed = set(re.findall(r"^    (\w+) = var\.", texts["variables.tf"], re.MULTILINE))
assert passed == parameters, f"of the template or the module only: {sorted(passed ^ parameters)}"

replaced = re.findall(r'"((?:CodeUri|TemplateURL): [^"]+)", "', texts["main.tf"])
assert len(replaced) == 4, replaced
for text in replaced:
    found = text.replace("${local.login}", "login-with-otp-arm64.zip").replace("${local.validate}", "validate-otp-arm64.zip")
    assert template.count(found) == 1, f"{found} stands in the template {template.count(found)} times"
print(f"{len(declared)} variables, {len(parameters)} parameters, {len(replaced)} replaced places")
