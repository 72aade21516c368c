//! What names a deployment, and what its functions have as variables.

use std::collections::HashMap;

use aws_sdk_cloudformation::{Client, error::ProvideErrorMetadata, types::Stack};
use otp_service::{
    aws::Aws,
    fault::{Dependency, Fault},
    store::Events,
    table::Table,
};

use crate::{credentials::Tried, error::Error, settings::parameter_of};

/// What names the deployment on the command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Named {
    /// The table, if it is given. The environment has the rest.
    Table(Option<String>),
    /// A stack of the template.
    Stack(String),
}

/// The variables of the functions, as the environment or the stack has them.
pub enum Deployment {
    /// The environment, with this table.
    Environment { table: Option<String> },
    /// The outputs and parameters of a stack, by their names.
    Stack(HashMap<String, String>),
}

/// Every stack of the template has these.
const OUTPUTS: [&str; 3] = ["TableName", "DigestKeyId", "SigningKeyId"];

/// What `CloudFormation` shows of a parameter that it conceals.
const CONCEALED: &str = "****";

impl Deployment {
    /// What a function would read.
    pub fn variable(&self, name: &str) -> Option<String> {
        match self {
            Self::Environment { table } if name == "TABLE_NAME" => table.clone(),
            Self::Environment { .. } => otp_settings::variable(name),
            Self::Stack(values) => values.get(&parameter_of(name)).cloned(),
        }
    }

    /// The name of the table.
    pub fn table(&self) -> Result<String, Error> {
        let table = self.variable("TABLE_NAME");
        table.filter(|name| !name.is_empty()).ok_or(Error::NoTable)
    }

    /// Whether the functions write events. Without a stack, the table's stream tells it.
    pub async fn events(&self, table: &Table) -> Result<Events, Fault> {
        match self {
            Self::Environment { .. } => Events::of(table).await,
            Self::Stack(_) => Ok(match self.variable("EVENT_BUS_NAME").as_deref() {
                None | Some("") => Events::Off,
                Some(_) => Events::On,
            }),
        }
    }

    /// Reads a stack.
    pub async fn of_stack(name: &str, aws: &Aws) -> Result<Self, Error> {
        let tried = Tried::with(aws.sdk(), Some(&format!("stack {name}"))).await?;
        let call = Client::new(aws.sdk()).describe_stacks().stack_name(name);
        let found = call.send().await.map_err(|error| match error.code() {
            Some("ValidationError") => {
                Error::Aws(format!("there is no stack {name} in {}", tried.place()))
            }
            _ => tried.told(&Fault::from_sdk(
                Dependency::Settings,
                "DescribeStacks",
                &error,
            )),
        })?;
        let values = found.stacks().first().map(values).unwrap_or_default();
        let missing: Vec<_> = OUTPUTS
            .into_iter()
            .filter(|output| !values.contains_key(*output))
            .collect();
        if missing.is_empty() {
            return Ok(Self::Stack(values));
        }
        Err(Error::Aws(format!(
            "the stack {name} has no output {}: its deployment is not done, or it is none of this \
             template",
            missing.join(", ")
        )))
    }
}

/// The parameters and, over them, the outputs.
fn values(stack: &Stack) -> HashMap<String, String> {
    let parameters = stack.parameters().iter();
    let parameters = parameters.filter_map(|one| one.parameter_key().zip(one.parameter_value()));
    let outputs = stack.outputs().iter();
    let outputs = outputs.filter_map(|one| one.output_key().zip(one.output_value()));
    let outputs = outputs.map(|(name, value)| match name {
        "Issuer" => ("TokenIssuer", value),
        _ => (name, value),
    });
    parameters
        .filter(|(_, value)| *value != CONCEALED)
        .chain(outputs)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
