//! The call resource (developer.vonage.com, "Voice API").

use serde_json::json;

use super::super::rest::{Account, Ask, Authorization, JSON, segment};

/// Ends a call.
#[must_use]
pub fn hang_up(account: &Account<'_>, call: &str) -> Ask {
    put(account, call, &json!({ "action": "hangup" }))
}

/// Sends a call to what a URL says.
#[must_use]
pub fn redirect(account: &Account<'_>, call: &str, url: &str) -> Ask {
    let destination = json!({ "type": "ncco", "url": [url] });
    put(account, call, &json!({ "action": "transfer", "destination": destination }))
}

fn put(account: &Account<'_>, call: &str, body: &serde_json::Value) -> Ask {
    Ask {
        method: "PUT",
        url: format!("{}/v1/calls/{}", account.url, segment(call)),
        content_type: JSON,
        body: body.to_string(),
        authorization: Authorization::Bearer(account.secret.to_owned()),
    }
}
