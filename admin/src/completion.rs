//! What completes the commands in a shell, made from the help.

use std::collections::BTreeSet;

use crate::args::USAGE;

/// A shell that can complete the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }

    /// The script that the shell reads at its start.
    pub fn script(self) -> String {
        match self {
            Self::Bash => bash(),
            Self::Zsh => format!("autoload -U bashcompinit && bashcompinit\n{}", bash()),
            Self::Fish => fish(),
        }
    }
}

type Group = (&'static str, Vec<&'static str>);

/// The groups of the help, with their commands.
fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let lines = USAGE.lines().skip(2).take_while(|line| *line != "Options");
    for line in lines.filter(|line| !line.is_empty()) {
        let Some(command) = line.strip_prefix("  ") else {
            groups.push((line, Vec::new()));
            continue;
        };
        // The left column, with its alternatives.
        let ways = command.split("  ").next().unwrap_or_default().split(" | ");
        let names = ways.filter_map(|way| way.split(' ').next());
        for name in names.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())) {
            if let Some((_, known)) = groups
                .last_mut()
                .filter(|(_, known)| !known.contains(&name))
            {
                known.push(name);
            }
        }
    }
    groups
}

fn options() -> BTreeSet<&'static str> {
    let words = USAGE.split(|c: char| !c.is_ascii_lowercase() && c != '-');
    words.filter(|word| word.starts_with("--")).collect()
}

fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn names(groups: &[Group]) -> String {
    joined(groups.iter().map(|(name, _)| *name))
}

fn bash() -> String {
    let groups = groups();
    let commands = groups.iter().map(|(name, commands)| {
        let commands = joined(commands.iter().copied());
        format!("        {name}) words=\"{commands}\" ;;")
    });
    format!(
        "_admin() {{\n    local words=\n    case $COMP_CWORD in\n    1) words=\"{}\" ;;\n    \
         2) case ${{COMP_WORDS[1]}} in\n{}\n        esac ;;\n    *) words=\"{}\" ;;\n    esac\n    \
         COMPREPLY=($(compgen -W \"$words\" -- \"${{COMP_WORDS[COMP_CWORD]}}\"))\n}}\n\
         complete -o default -F _admin admin\n",
        names(&groups),
        commands.collect::<Vec<_>>().join("\n"),
        joined(options()),
    )
}

fn fish() -> String {
    let groups = groups();
    let all = names(&groups);
    let first = format!("complete -c admin -n __fish_use_subcommand -f -a \"{all}\"\n");
    let with_commands = groups.into_iter().filter(|(_, all)| !all.is_empty());
    let commands = with_commands.map(|(name, commands)| {
        let commands = joined(commands);
        format!(
            "complete -c admin -n \"__fish_seen_subcommand_from {name}; and not \
             __fish_seen_subcommand_from {commands}\" -f -a \"{commands}\"\n"
        )
    });
    let options = options().into_iter().map(|option| {
        let option = option.trim_start_matches('-');
        format!("complete -c admin -l {option}\n")
    });
    let lines: Vec<_> = [first].into_iter().chain(commands).chain(options).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::args::parse;

    #[test]
    fn every_completed_command_is_one() {
        assert!(groups().len() > 3);
        for (group, commands) in groups() {
            let is_alone = ["why", "deliveries", "doctor"].contains(&group);
            assert_eq!(commands.is_empty(), is_alone, "{group}");
            for command in commands {
                let line = [group, command].map(Into::into);
                let told = parse(line, Some("table".to_owned()))
                    .err()
                    .unwrap_or_default();
                assert!(!told.contains("unknown"), "{group} {command}: {told}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn bash_completes_groups_commands_and_options() {
        for (typed, completed) in [
            ("admin us", "users"),
            ("admin users di", "disable"),
            ("admin sessions e", "end"),
            ("admin users add --em", "--email"),
            ("admin nothing x", ""),
        ] {
            let script = format!(
                "{}COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _admin; echo \"${{COMPREPLY[@]}}\"",
                Shell::Bash.script()
            );
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            assert_eq!(told.trim_end(), completed, "{typed}");
        }
    }

    #[test]
    fn fish_hears_of_every_group_and_option() {
        let script = Shell::Fish.script();
        assert!(script.contains("-a \"users sessions"));
        assert!(script.contains("complete -c admin -l csv\n"));
        assert!(Shell::Zsh.script().contains("bashcompinit\n_admin()"));
    }
}
