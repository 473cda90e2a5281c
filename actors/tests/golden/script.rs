//! A golden call as it is written.

use actors::call::hand_over::News;
use actors::types::{HandOverOutcome, PhoneNumber};
use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::telephone::milliseconds;

/// A golden call.
pub(crate) struct Script {
    /// Everything above the first line of the call, as it is.
    pub(crate) head: Vec<String>,
    pub(crate) business: String,
    pub(crate) now: Zoned,
    pub(crate) caller: Option<PhoneNumber>,
    pub(crate) given: Vec<String>,
    pub(crate) is_recorded: bool,
    /// People are told who is on the line before they get a caller.
    pub(crate) is_handed_over: bool,
    /// A model says what words mean, and is never certain.
    pub(crate) is_uncertain: bool,
    pub(crate) body: Vec<Line>,
}

/// A line of the call.
pub(crate) enum Line {
    /// A comment or an empty line, as it is.
    Other(String),
    /// Something that is done.
    Step(String, Step),
    /// Something that must be heard or done.
    Expected(String),
}

/// Something that is done.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Says { over: Option<u32>, text: String },
    Presses { over: Option<u32>, keys: String },
    HangsUp { over: Option<u32> },
    Silence(u64),
    Holds(bool),
    Transfer(u16),
    Person(News),
    NodeStops,
    Fails { what: String, how: String },
    Works { what: String },
}

/// Words into an utterance at which the caller cuts in, where nothing else is said.
const CUT_IN_WORDS: u32 = 2;

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_head = |line: &&str| {
            let line = line.trim();
            line.is_empty()
                || line.starts_with('#')
                || ["business:", "now:", "caller:", "given:", "recorded:", "handed over:", "model:"]
                    .iter()
                    .any(|key| line.starts_with(key))
        };
        let head: Vec<String> = text.lines().take_while(is_head).map(str::to_owned).collect();
        let value = |key: &str| {
            head.iter().find_map(|line| line.trim().strip_prefix(key)).map(|value| value.trim().to_owned())
        };
        let business = value("business:").ok_or("`business: …` is missing at the top")?;
        let now = value("now:").ok_or("`now: 2026-03-10 10:00` is missing at the top")?;
        let now: DateTime = now.parse().map_err(|error| format!("now: {error}"))?;
        let zone = TimeZone::get(&crate::import::business(&format!("{business}.toml")).time_zone)
            .map_err(|error| error.to_string())?;
        let now = now.to_zoned(zone).map_err(|error| format!("now: {error}"))?;
        let caller = match value("caller:").as_deref() {
            None | Some("anonymous") => None,
            Some(number) => {
                Some(PhoneNumber::parse(number).ok_or_else(|| format!("`{number}` is no telephone number"))?)
            }
        };
        let given = head.iter().filter_map(|line| line.trim().strip_prefix("given:"));
        let given = given.map(|given| given.trim().to_owned()).collect();
        let is_recorded = value("recorded:").as_deref() != Some("no");
        let is_handed_over = value("handed over:").as_deref() == Some("spoken");
        let is_uncertain = value("model:").as_deref() == Some("uncertain");
        let body = text.lines().skip(head.len()).enumerate().map(|(number, line)| {
            Line::parse(line).map_err(|mistake| format!("line {}: {mistake}", head.len() + number + 1))
        });
        let body = body.collect::<Result<_, _>>()?;
        Ok(Self { head, business, now, caller, given, is_recorded, is_handed_over, is_uncertain, body })
    }

    /// What the call shows: its first comment.
    pub(crate) fn title(&self) -> &str {
        let comment = self.head.iter().find(|line| line.starts_with('#'));
        comment.map_or("", |line| line.trim_start_matches('#').trim())
    }

    /// The steps, in order.
    pub(crate) fn steps(&self) -> Vec<(String, Step)> {
        let step = |line: &Line| match line {
            Line::Step(text, step) => Some((text.clone(), step.clone())),
            _ => None,
        };
        self.body.iter().filter_map(step).collect()
    }

    /// What the caller says.
    pub(crate) fn said(&self) -> Vec<String> {
        let says = |(_, step)| match step {
            Step::Says { text, .. } => Some(text),
            _ => None,
        };
        self.steps().into_iter().filter_map(says).collect()
    }

    /// The call's lines without comments, as they should come out.
    pub(crate) fn expected_lines(&self) -> Vec<String> {
        let line = |line: &Line| match line {
            Line::Step(text, _) | Line::Expected(text) => Some(text.trim().to_owned()),
            Line::Other(_) => None,
        };
        self.body.iter().filter_map(line).collect()
    }
}

impl Line {
    fn parse(line: &str) -> Result<Self, String> {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return Ok(Self::Other(line.to_owned()));
        }
        if ["< ", "~ ", "= "].iter().any(|mark| trimmed.starts_with(mark)) {
            return Ok(Self::Expected(line.to_owned()));
        }
        Step::parse(trimmed).map(|step| Self::Step(line.to_owned(), step))
    }
}

impl Step {
    fn parse(line: &str) -> Result<Self, String> {
        let (over, rest) = match line.strip_prefix(">>") {
            Some(rest) => cut_in(rest.trim())?,
            None => (None, line),
        };
        if rest == "hangs up" {
            return Ok(Self::HangsUp { over });
        }
        if let Some(keys) = rest.strip_prefix("keys:") {
            return Ok(Self::Presses { over, keys: keys.trim().to_owned() });
        }
        if over.is_some() {
            return Ok(Self::Says { over, text: rest.to_owned() });
        }
        if let Some(text) = line.strip_prefix("> ") {
            return Ok(Self::Says { over, text: text.trim().to_owned() });
        }
        match line.split_once(':').map(|(key, value)| (key, value.trim())) {
            Some(("silence", length)) => Ok(Self::Silence(milliseconds(length))),
            Some(("transfer", status)) => {
                status.parse().map(Self::Transfer).map_err(|_| format!("`{status}` is no SIP status"))
            }
            Some(("person", news)) => person(news).map(Self::Person),
            Some(("works", what)) => Ok(Self::Works { what: what.to_owned() }),
            Some(("fails", failure)) => {
                let (what, how) = match failure.strip_prefix("tool ") {
                    Some(tool) => tool.split_once(' ').unwrap_or((tool, "failed")),
                    None => failure.split_once(' ').unwrap_or((failure, "")),
                };
                Ok(Self::Fails { what: what.to_owned(), how: how.trim().to_owned() })
            }
            None if line == "holds" || line == "resumes" => Ok(Self::Holds(line == "holds")),
            None if line == "node stops" => Ok(Self::NodeStops),
            _ => Err(format!("`{line}` is not understood; FORMAT.txt says what can be written")),
        }
    }
}

/// Reads what the person whom the caller is handed over to does.
fn person(news: &str) -> Result<News, String> {
    let failed = |outcome| Ok(News::Failed(outcome));
    match news {
        "rings" => Ok(News::Ringing),
        "joins" => Ok(News::Joined),
        "leaves" => Ok(News::Left),
        "busy" => failed(HandOverOutcome::Busy),
        "no answer" => failed(HandOverOutcome::NoAnswer),
        "declines" => failed(HandOverOutcome::Declined),
        "voicemail" => failed(HandOverOutcome::Voicemail),
        "unreachable" => failed(HandOverOutcome::Unreachable),
        _ => Err(format!("`{news}` is nothing that a person does; FORMAT.txt says what can be written")),
    }
}

/// Reads `(after 5 words)`.
fn cut_in(rest: &str) -> Result<(Option<u32>, &str), String> {
    let Some((inside, rest)) = rest.strip_prefix("(after ").and_then(|rest| rest.split_once(')')) else {
        return Ok((Some(CUT_IN_WORDS), rest));
    };
    let words = inside.trim_end_matches("words").trim_end_matches("word").trim();
    words
        .parse()
        .map(|words| (Some(words), rest.trim()))
        .map_err(|_| format!("`{inside}` is no number of words"))
}
