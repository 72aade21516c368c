"""Holds the role `Execution` to the templates: it may act on each service that they use."""

from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {"ApiGateway": "apigateway", "Serverless::Api": "apigateway", "Serverless::Function": "lambda"}


def service(kind):
    owner, name = kind.removeprefix("AWS::").split("::", 1)
    return SERVICES.get(f"{owner}::{name}") or SERVICES.get(owner) or owner.lower()


roles = yaml_parse((ROOT / "examples/pipeline/deployer.yaml").read_text())["Resources"]
statements = roles["Execution"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
allowed = {action.split(":")[0] for statement in statements for action in [statement["Action"]] * isinstance(statement["Action"], str) or statement["Action"]}
used = {}
for template in ("template.yaml", "alarms.yaml", "pipe.yaml"):
    for name, resource in yaml_parse((ROOT / template).read_text())["Resources"].items():
        used.setdefault(service(resource["Type"]), name)
missing = {name: of for of, name in used.items() if of not in allowed}
assert not missing, f"examples/pipeline/deployer.yaml does not allow {missing}"
print(f"{len(used)} services: {', '.join(sorted(used))}")
