"""Each permission is taken away once."""

import json

from stack import FUNCTIONS
from telling import DELIVERY_FAILED, LOGGED_IN, LOGIN, SENT, VALIDATE, Untrue, same, tells

# Only a login that repeats one which is still sending, and a resend under conceal, need the first:
# tests/tests/api/permissions.rs compares it with the policy. Lambda needs the second, for reports
# that fail.
RARE = (("login-with-otp", "dynamodb:GetItem"), ("login-with-otp", "sqs:SendMessage"))


def permissions(stack, failing_delivery):
    """Takes each permission away once: what it is for must fail, and nothing may be left over."""
    iam, kms = stack.client("iam"), stack.client("kms")
    round_number = 0

    def every_call():
        nonlocal round_number
        round_number += 1
        login = stack.log_in(f"p{round_number}@example.com")
        stack.claims(login["token"])
        same("me", stack.me(login["token"]).status, 200)
        stack.add_destination(login, f"t{round_number}@example.com")
        stack.add_destination(login, f"+1415557{round_number:04}")
        stack.log_out(stack.refresh(login))
        unnamed = f"q{round_number}@example.com"
        stack.ask(unnamed)
        answer = stack.api.post(VALIDATE, email=unnamed, otp=stack.code_for(unnamed))
        stack.log_out(answer.is_success(LOGGED_IN), all=True)
        stack.log_in(f"+1415556{round_number:04}")
        failing_delivery(stack, f"r{round_number}@example.com")
        keyed(f"s{round_number}@example.com")

    def keyed(address):
        key = [("Idempotency-Key", f"permission-{round_number:08}")]
        with stack.silent_ses():
            failed = stack.api.send("POST", LOGIN, {"email": address}, more=key)
            failed.is_problem(*DELIVERY_FAILED)
        stack.api.send("POST", LOGIN, {"email": address}, more=key).is_success(SENT)

    def cold_start():
        for function in FUNCTIONS:
            stack.client("lambda").update_function_configuration(
                FunctionName=f"{stack.name}-{function}", Timeout=20)

    def needed(sentence, put, policy, less):
        with tells(sentence):
            put(json.dumps(less))
            cold_start()
            try:
                every_call()
            except Untrue:
                return
            finally:
                put(json.dumps(policy))
                cold_start()
            raise Untrue("all goes well without it")

    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    for function, logical_id in FUNCTIONS.items():
        [role] = [name for name in roles if name.startswith(f"{stack.name}-{logical_id}Role")]
        names = {"RoleName": role, "PolicyName": function}
        policy = iam.get_role_policy(**names)["PolicyDocument"]
        for number, statement in enumerate(policy["Statement"]):
            if statement["Effect"] != "Allow":
                continue
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                # Lambda itself writes the log; the emulator does so without asking.
                if not action.startswith("logs:") and (function, action) not in RARE:
                    needed(f"{function} needs {action}",
                           lambda text, names=names: iam.put_role_policy(
                               **names, PolicyDocument=text),
                           policy, without(policy, number, action))
    for output in ("SigningKeyId", "DigestKeyId"):
        names = {"KeyId": stack.outputs[output], "PolicyName": "default"}
        policy = json.loads(kms.get_key_policy(**names)["Policy"])
        for number, statement in enumerate(policy["Statement"]):
            if statement["Sid"] != "Administer":
                needed(f"{output} needs {statement['Sid']}",
                       lambda text, names=names: kms.put_key_policy(**names, Policy=text),
                       policy, without(policy, number, statement["Action"]))
    with tells("with every permission back, all is well again"):
        every_call()


def without(policy, number, action):
    """The policy without one action of one of its statements."""
    less = json.loads(json.dumps(policy))
    statement = less["Statement"][number]
    if isinstance(statement["Action"], list) and len(statement["Action"]) > 1:
        statement["Action"].remove(action)
    else:
        del less["Statement"][number]
    return less
