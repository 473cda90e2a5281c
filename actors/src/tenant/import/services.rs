//! `[[service]]`, and who gives them: `[[staff]]` and `[[room]]`.

use super::section::{Section, Text};
use super::spelling::closest;
use super::{business, duration, hours};
use crate::types::{Resource, ResourceId, Service, ServiceId};

/// The longest a service, its buffer or its notice may be, in minutes.
const DAY: u32 = 1_440;
const MONTH: u32 = 43_200;

/// Staff and rooms, staff first.
pub(super) fn resources(file: &Section<'_>) -> Vec<Resource> {
    let mut resources: Vec<Resource> = Vec::new();
    for (key, name) in [("staff", "[[staff]]"), ("room", "[[room]]")] {
        for section in file.tables(key, name) {
            let spoken = section.required_text("name", "\"Sam\"");
            let id = ResourceId::new(business::id(&section, &spoken.value));
            let own = hours::own(&section, key, "away");
            if resources.iter().any(|other| other.id == id) {
                twice(&section, id.as_str());
            }
            section.finish();
            resources.push(Resource { id, name: spoken.value, hours: own });
        }
    }
    resources
}

/// What can be booked.
pub(super) fn read(file: &Section<'_>, resources: &[Resource]) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for section in file.tables("service", "[[service]]") {
        let name = section.required_text("name", "\"haircut\"").value;
        let id = ServiceId::new(business::id(&section, &name));
        if services.iter().any(|other| other.id == id) {
            twice(&section, id.as_str());
        }
        if !section.has("duration") {
            section.missing("duration", "\"30 minutes\"");
        }
        let service = Service {
            id,
            name,
            also_called: section.texts("also_called").into_iter().map(|text| text.value).collect(),
            duration_minutes: duration::minutes(&section, "duration", 5, DAY).unwrap_or_default(),
            buffer_minutes: duration::minutes(&section, "buffer", 0, DAY).unwrap_or_default(),
            price: section.text("price").map(|text| text.value),
            resources: givers(&section, resources),
            notice_minutes: duration::minutes(&section, "notice", 0, MONTH).unwrap_or_default(),
        };
        section.finish();
        services.push(service);
    }
    services
}

fn twice(section: &Section<'_>, id: &str) {
    section.report.add(
        &section.place("id"),
        format!("{} has the id \"{id}\", which another one has", section.name),
        "give each its own `id`",
    );
}

/// Who can give a service: those that `with` names by id or name, or all.
fn givers(section: &Section<'_>, resources: &[Resource]) -> Vec<ResourceId> {
    if resources.is_empty() {
        section.know("with");
        section.report.add_if_whole(
            &section.at,
            format!("nobody gives the service of this {}", section.name),
            "add `[[staff]]` or `[[room]]` with a `name`",
        );
        return Vec::new();
    }
    if !section.has("with") {
        return resources.iter().map(|resource| resource.id.clone()).collect();
    }
    let texts = section.texts("with");
    if texts.is_empty() {
        section.report.add_if_whole(
            &section.place("with"),
            format!("`with` in {} names nobody", section.name),
            "name somebody, or remove it where everybody gives the service",
        );
    }
    let mut ids = Vec::new();
    for text in texts {
        match find(&text, resources) {
            Some(resource) if !ids.contains(&resource.id) => ids.push(resource.id.clone()),
            Some(_) => {}
            None => unknown(section, &text, resources),
        }
    }
    ids
}

fn find<'r>(text: &Text, resources: &'r [Resource]) -> Option<&'r Resource> {
    resources.iter().find(|resource| {
        resource.id.as_str() == text.value || resource.name.eq_ignore_ascii_case(&text.value)
    })
}

fn unknown(section: &Section<'_>, text: &Text, resources: &[Resource]) {
    let names: Vec<&str> = resources.iter().map(|resource| resource.id.as_str()).collect();
    let instead = match closest(&text.value, names.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("name one of {}, or add a [[staff]] or [[room]]", names.join(", ")),
    };
    section.report.add_if_whole(
        &text.at,
        format!("`with` in {} names \"{}\", who is neither staff nor a room", section.name, text.value),
        instead,
    );
}
