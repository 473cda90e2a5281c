//! `tenant show`.

use std::fmt::Write as _;

use actors::types::{Business, DayOfWeek, Hours, OpeningHours, TenantId};
use clap::Args;

use super::list::numbers;
use crate::command::access::{Access, Missing};
use crate::command::{Error, Output};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request};

#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The business, where there are several
    #[arg(value_name = "ID")]
    tenant: Option<String>,
}

pub(super) async fn run(
    arguments: Arguments,
    config: &NodeConfig,
    output: &mut Output<'_>,
) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    let tenant = arguments.tenant.map(TenantId::new);
    let Answer::Tenant(business) = access.ask(Request::Tenant { tenant }).await? else {
        return Err(Error::OtherAnswer);
    };
    output.show(&business, |business| text(business))
}

fn text(business: &Business) -> String {
    let mut text = String::new();
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{name:<12} {value}");
        }
    };
    fact("business", &format!("{} (version {})", business.id, business.version));
    fact("name", &business.name);
    fact("about", &business.description);
    fact("numbers", &numbers(&business.numbers));
    fact("language", business.language.as_str());
    fact("time zone", &business.time_zone);
    fact("address", business.address.as_deref().unwrap_or_default());
    fact("directions", business.directions.as_deref().unwrap_or_default());
    for (day, spans) in &business.hours.week {
        fact(&name_of(*day).to_lowercase(), &hours(spans));
    }
    for service in &business.services {
        let price = service.price.as_deref().map(|price| format!(", {price}")).unwrap_or_default();
        let by: Vec<&str> = service.resources.iter().map(|resource| resource.as_str()).collect();
        fact(
            "service",
            &format!("{}: {} min{price}, by {}", service.name, service.duration_minutes, by.join(", ")),
        );
    }
    for resource in &business.resources {
        let own = resource.hours.as_ref().map(|hours| format!(" ({})", week(hours))).unwrap_or_default();
        fact("calendar", &format!("{}{own}", resource.name));
    }
    for faq in &business.faqs {
        fact("answers", faq.questions.first().map(String::as_str).unwrap_or_default());
    }
    for department in &business.departments {
        fact("department", &department.name);
    }
    fact("transfers", &format!("{} rule(s)", business.transfer_rules.len()));
    fact("calls", &format!("at most {} at once", business.policy.concurrent_calls_max));
    text
}

fn name_of(day: DayOfWeek) -> String {
    format!("{day:?}")
}

fn week(hours: &Hours) -> String {
    let days: Vec<String> = hours
        .week
        .iter()
        .map(|(day, spans)| format!("{} {}", name_of(*day).get(..3).unwrap_or_default(), self::hours(spans)))
        .collect();
    days.join("; ")
}

fn hours(spans: &[OpeningHours]) -> String {
    let spans: Vec<String> = spans
        .iter()
        .map(|span| format!("{}–{}", span.from.strftime("%H:%M"), span.until.strftime("%H:%M")))
        .collect();
    spans.join(", ")
}
