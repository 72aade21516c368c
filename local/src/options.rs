//! The program's command line.

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Start the stack.
    Serve,
    /// Start the stack, and end it with the standard input.
    ServeWithStdin,
    /// Say whether a stack serves.
    Healthy,
    /// Print how to use the program.
    Help,
    /// Print its version.
    Version,
}

/// How to use the program.
pub const HELP: &str = "\
The whole stack on this machine, until Ctrl-C. Nothing is stored, and nothing leaves this machine.

usage: local [--help | --version | --healthy | --until-stdin-ends]

variable     default          what listens there
API_ADDR     127.0.0.1:3000   the API
INBOX_ADDR   127.0.0.1:8025   the inbox, where codes arrive
AWS_ADDR     127.0.0.1:4566   DynamoDB, SES v2, SNS and KMS
WEB_ADDR     127.0.0.1:8080   a sign-in page, on another origin than the API
SUBSCRIBERS  none             <topic ARN>=<http URL> pairs: who gets the messages to a topic
EVENTS_URL   none             who gets the events of users, which stand beside the inbox, too
LOG_FORMAT   text or json     request lines on standard error; text on a terminal, else json

Port 0 picks a free one. --healthy exits with 0 if a stack serves at these addresses, for health
checks of containers. --until-stdin-ends is for programs that start a stack: it ends with them,
however they end. Every setting of docs/settings.md is a variable, too:

    OTP_LENGTH=8 SENDS_PER_HOUR=5 cargo run -p local
";

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// Names the argument that is unknown.
    pub fn parse<I: IntoIterator<Item = String>>(arguments: I) -> Result<Self, String> {
        let mut command = Self::Serve;
        for argument in arguments {
            command = match argument.as_str() {
                "--help" | "-h" => return Ok(Self::Help),
                "--version" | "-V" => Self::Version,
                "--healthy" => Self::Healthy,
                "--until-stdin-ends" => Self::ServeWithStdin,
                _ => return Err(format!("unknown argument: {argument}; see --help")),
            };
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read() {
        let parse = |text: &str| Command::parse(text.split_whitespace().map(str::to_owned));
        assert_eq!(parse(""), Ok(Command::Serve));
        assert_eq!(parse("--help"), Ok(Command::Help));
        assert_eq!(parse("-h"), Ok(Command::Help));
        assert_eq!(parse("--version"), Ok(Command::Version));
        assert_eq!(parse("-V --help"), Ok(Command::Help));
        assert_eq!(parse("--healthy"), Ok(Command::Healthy));
        assert_eq!(parse("--until-stdin-ends"), Ok(Command::ServeWithStdin));
        for text in ["serve", "--port", "--version --port", "-x"] {
            assert!(parse(text).unwrap_err().contains("--help"), "{text}");
        }
    }
}
