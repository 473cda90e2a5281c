//! Single questions, and records as the search knows them.

use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::Names;
use crate::sip::location::{Answer, Naptr, Question, Server};

impl Names {
    /// Asks one question. The last is true where nobody has answered, which is another thing than that there is
    /// nothing.
    pub(super) async fn answer(&self, question: Question) -> (Question, Answer, bool) {
        let (answer, failed) = match &question {
            Question::Naptr(name) => {
                let (records, failed) = self.records(name, RecordType::NAPTR).await;
                (Answer::Naptr(records.iter().filter_map(naptr).collect()), failed)
            }
            Question::Servers(name) => {
                let (records, failed) = self.records(name, RecordType::SRV).await;
                (Answer::Servers(records.iter().filter_map(server).collect()), failed)
            }
            Question::Addresses(name) => self.addresses(name).await,
        };
        (question, answer, failed)
    }

    async fn records(&self, name: &str, kind: RecordType) -> (Vec<RData>, bool) {
        let Some(resolver) = &self.resolver else { return (Vec::new(), true) };
        // No search domain: a provider's name is whole.
        let Ok(mut name) = Name::from_utf8(name) else { return (Vec::new(), false) };
        name.set_fqdn(true);
        match resolver.lookup(name, kind).await {
            Ok(found) => (found.answers().iter().map(|record| record.data.clone()).collect(), false),
            Err(error) => (Vec::new(), is_failure(&error)),
        }
    }

    async fn addresses(&self, name: &str) -> (Answer, bool) {
        let Some(resolver) = &self.resolver else { return (Answer::Addresses(Vec::new()), true) };
        match resolver.lookup_ip(name).await {
            Ok(found) => (Answer::Addresses(found.iter().collect()), false),
            Err(error) => (Answer::Addresses(Vec::new()), is_failure(&error)),
        }
    }
}

/// That there is nothing is an answer.
fn is_failure(error: &NetError) -> bool {
    !error.is_no_records_found() && !error.is_nx_domain()
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(record) = data else { return None };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Naptr {
        order: record.order,
        preference: record.preference,
        flags: text(&record.flags),
        service: text(&record.services),
        replacement: without_dot(&record.replacement),
    })
}

fn server(data: &RData) -> Option<Server> {
    let RData::SRV(record) = data else { return None };
    Some(Server {
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        target: without_dot(&record.target),
    })
}

fn without_dot(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}
