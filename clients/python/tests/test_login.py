from login_with_otp import Client


def test_a_person_logs_in(otp):
    client = Client(otp.api)
    challenge = client.request_code(email="ada@example.com")
    session = client.validate(challenge, otp.code_for("ada@example.com"))
    assert session.new_user
