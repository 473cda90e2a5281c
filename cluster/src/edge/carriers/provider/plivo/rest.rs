//! The live call resource (plivo.com/docs, "Call API").

use serde_json::json;

use super::super::rest::{Account, Ask, Authorization, JSON, segment};

/// Ends a call.
#[must_use]
pub fn hang_up(account: &Account<'_>, call: &str) -> Ask {
    ask(account, call, "DELETE", String::new())
}

/// Sends a call to what a URL says.
#[must_use]
pub fn redirect(account: &Account<'_>, call: &str, url: &str) -> Ask {
    let body = json!({ "legs": "aleg", "aleg_url": url, "aleg_method": "POST" });
    ask(account, call, "POST", body.to_string())
}

fn ask(account: &Account<'_>, call: &str, method: &'static str, body: String) -> Ask {
    let (name, call) = (segment(account.name), segment(call));
    Ask {
        method,
        url: format!("{}/v1/Account/{name}/Call/{call}/", account.url),
        content_type: JSON,
        body,
        authorization: Authorization::Basic(account.name.to_owned(), account.secret.to_owned()),
    }
}
