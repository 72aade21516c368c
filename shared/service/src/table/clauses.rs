use std::{collections::HashMap, mem};

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{
        AttributeValue, Delete, ReturnValuesOnConditionCheckFailure as OnFailure,
        TransactWriteItem, Update,
    },
};

use super::{Item, Table};

/// The clauses of one write that several parts of an item write together.
#[derive(Default)]
pub(crate) struct Clauses {
    pub(crate) conditions: Vec<String>,
    pub(crate) set: Vec<String>,
    pub(crate) add: Vec<String>,
    pub(crate) remove: Vec<String>,
    /// Members to take out of a set.
    pub(crate) subtract: Vec<String>,
    /// Whether the item is deleted instead.
    pub(crate) deletes: bool,
    names: Vec<(String, String)>,
    values: Vec<(String, AttributeValue)>,
}

impl Clauses {
    /// An attribute whose name an expression cannot hold; returns its placeholder.
    pub(crate) fn name(&mut self, attribute: String) -> String {
        let placeholder = format!("#n{}", self.names.len());
        self.names.push((placeholder.clone(), attribute));
        placeholder
    }

    /// A value; returns its placeholder.
    pub(crate) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.push((placeholder.clone(), value));
        placeholder
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, attribute: impl Into<String>, value: AttributeValue) {
        let (name, value) = (self.name(attribute.into()), self.value(value));
        self.set.push(format!("{name} = {value}"));
    }

    /// Whether nothing is written.
    pub(crate) const fn is_empty(&self) -> bool {
        self.set.is_empty()
            && self.add.is_empty()
            && self.remove.is_empty()
            && self.subtract.is_empty()
    }

    /// The update of the item with this key. Its answer tells what stands if a
    /// condition fails.
    pub(crate) fn update(
        mut self,
        key: Item,
        table: &Table,
    ) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&table.name)
            .set_key(Some(key))
            .update_expression(self.expression())
            .set_condition_expression(self.condition())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The deletion of the item with this key, on the conditions of these clauses.
    pub(crate) fn delete(
        mut self,
        key: Item,
        table: &Table,
    ) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(&table.name)
            .set_key(Some(key))
            .set_condition_expression(self.condition())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The same update outside a transaction.
    pub(crate) fn update_alone(mut self, key: Item, table: &Table) -> UpdateItemFluentBuilder {
        table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(key))
            .update_expression(self.expression())
            .set_condition_expression(self.condition())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
    }

    fn expression(&self) -> String {
        let clauses = [
            ("SET", &self.set),
            ("ADD", &self.add),
            ("REMOVE", &self.remove),
            ("DELETE", &self.subtract),
        ];
        let written = clauses.iter().filter(|(_, parts)| !parts.is_empty());
        let written = written.map(|(word, parts)| format!("{word} {}", parts.join(", ")));
        written.collect::<Vec<_>>().join(" ")
    }

    fn condition(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    fn names(&mut self) -> Option<HashMap<String, String>> {
        let names = mem::take(&mut self.names);
        (!names.is_empty()).then(|| names.into_iter().collect())
    }

    fn values(&mut self) -> Option<HashMap<String, AttributeValue>> {
        let values = mem::take(&mut self.values);
        (!values.is_empty()).then(|| values.into_iter().collect())
    }
}
