//! The schemas as files, for those who do not write Rust.

use std::{fs, path::Path};

use serde_json::Value;

use super::documents::{BASES, Base};

/// `UPDATE_SCHEMAS=1 cargo test -p kimi-testkit schema` writes them anew.
#[test]
fn the_files_of_the_package_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kimi-validate/schemas");
    for Base { name, profile, .. } in BASES {
        let file = folder.join(format!("{name}.json"));
        let current = format!("{:#}\n", profile().json_schema());
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::write(&file, &current).unwrap();
        }
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == current,
            "{name}.json is not current: set UPDATE_SCHEMAS=1 to renew it"
        );
    }
}

#[test]
fn the_schemas_obey_the_meta_schema() {
    for Base { name, profile, .. } in BASES {
        let schema = profile().json_schema();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
    }
}

#[test]
fn the_keys_are_sorted() {
    fn assert_sorted(value: &Value) {
        if let Value::Object(members) = value {
            assert!(members.keys().is_sorted(), "{value}");
            members.values().for_each(assert_sorted);
        }
        value.as_array().into_iter().flatten().for_each(assert_sorted);
    }
    BASES.iter().for_each(|base| assert_sorted(&(base.profile)().json_schema()));
}

/// Nothing that a client may add is refused.
#[test]
fn no_schema_forbids_unknown_members() {
    for Base { name, profile, .. } in BASES {
        let text = profile().json_schema().to_string();
        for keyword in ["additionalProperties", "unevaluatedProperties", "propertyNames"] {
            assert!(!text.contains(keyword), "{name}: {keyword}");
        }
    }
}
