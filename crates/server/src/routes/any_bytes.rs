//! Bodies that are no JSON, in the description of the service.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType};
use utoipa::{PartialSchema, ToSchema};

/// Bytes, of which JSON Schema has nothing to say.
///
/// Source: OpenAPI 3.1, "Considerations for file uploads".
#[derive(Debug)]
pub(super) struct AnyBytes;

impl PartialSchema for AnyBytes {
    fn schema() -> RefOr<Schema> {
        Schema::from(ObjectBuilder::new().schema_type(SchemaType::AnyValue)).into()
    }
}

impl ToSchema for AnyBytes {}
