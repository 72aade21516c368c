use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update,
    },
};

use super::Item;

/// The clauses of one update that several counters write together.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) conditions: Vec<String>,
    pub(super) set: Vec<String>,
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
    names: Vec<(String, String)>,
    values: Vec<(String, AttributeValue)>,
}

impl Clauses {
    /// An attribute whose name an expression cannot hold; returns its placeholder.
    pub(super) fn name(&mut self, attribute: String) -> String {
        let placeholder = format!("#n{}", self.names.len());
        self.names.push((placeholder.clone(), attribute));
        placeholder
    }

    /// A value; returns its placeholder.
    pub(super) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.push((placeholder.clone(), value));
        placeholder
    }

    /// The update of the item with this key. Its answer tells what stands if a
    /// condition fails.
    pub(super) fn update(self, key: Item, table: &str) -> Result<TransactWriteItem, BuildError> {
        let clauses = [
            ("SET", &self.set),
            ("ADD", &self.add),
            ("REMOVE", &self.remove),
        ];
        let written = clauses.iter().filter(|(_, parts)| !parts.is_empty());
        let written = written.map(|(word, parts)| format!("{word} {}", parts.join(", ")));
        let update = written.collect::<Vec<_>>().join(" ");
        let condition = self.conditions.join(" AND ");
        let names = (!self.names.is_empty()).then(|| self.names.into_iter().collect());
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(update)
            .set_condition_expression((!condition.is_empty()).then_some(condition))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(Some(self.values.into_iter().collect()))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
