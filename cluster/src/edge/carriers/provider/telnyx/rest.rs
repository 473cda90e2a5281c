//! TeXML's call resource (developers.telnyx.com, "Update call").

use super::super::form::Form;
use super::super::rest::{Account, Ask, Authorization, FORM, segment};

/// Ends a call.
#[must_use]
pub fn hang_up(account: &Account<'_>, call: &str) -> Ask {
    update(account, call, &[("Status", "completed")])
}

/// Sends a call to what a URL says.
#[must_use]
pub fn redirect(account: &Account<'_>, call: &str, url: &str) -> Ask {
    update(account, call, &[("Url", url), ("Method", "POST")])
}

fn update(account: &Account<'_>, call: &str, fields: &[(&str, &str)]) -> Ask {
    let (name, call) = (segment(account.name), segment(call));
    Ask {
        method: "POST",
        url: format!("{}/v2/texml/Accounts/{name}/Calls/{call}", account.url),
        content_type: FORM,
        body: Form::written(fields),
        authorization: Authorization::Bearer(account.secret.to_owned()),
    }
}
