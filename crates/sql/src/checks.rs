//! What the planner would pass over in silence.

use std::collections::HashSet;
use std::ops::ControlFlow;

use arrow_schema::Fields;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Query, SelectFlavor, SelectItem, SetExpr, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
    WildcardAdditionalOptions,
};

use crate::SqlError;

/// Refuses samples of tables, which the planner drops.
///
/// # Errors
/// When a table is followed by `TABLESAMPLE` or `SAMPLE`.
pub(super) fn refuse_samples(statement: &Statement) -> Result<(), SqlError> {
    let statement = match statement {
        Statement::Statement(statement) => statement,
        Statement::Explain(explained) => return refuse_samples(&explained.statement),
        _ => return Ok(()),
    };
    match statement.visit(&mut Samples) {
        ControlFlow::Break(()) => Err(SqlError::Query {
            reason: "TABLESAMPLE is not supported; LIMIT takes the first rows of a table".to_owned(),
        }),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Makes `FROM table` alone select all columns; the planner gives rows without any.
pub(super) fn select_all(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _ = statement.visit(&mut FromAlone);
        }
        Statement::Explain(explained) => select_all(&mut explained.statement),
        _ => {}
    }
}

/// Visits every query.
struct FromAlone;

impl VisitorMut for FromAlone {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        complete(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn complete(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) if select.flavor == SelectFlavor::FromFirstNoSelect => {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
        }
        SetExpr::SetOperation { left, right, .. } => {
            complete(left);
            complete(right);
        }
        _ => {}
    }
}

/// Stops at a table with a sample.
struct Samples;

impl Visitor for Samples {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Refuses two columns of one name, of which whoever reads the output would see one.
///
/// # Errors
/// When two fields have the same name.
pub(super) fn names_differ(fields: &Fields) -> Result<(), SqlError> {
    let mut names = HashSet::new();
    match fields.iter().find(|field| !names.insert(field.name())) {
        Some(field) => Err(SqlError::DuplicateName { name: field.name().clone() }),
        None => Ok(()),
    }
}
