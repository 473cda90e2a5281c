//! `doctor`.

use models::canary;
use models::engine::{Choice, Sense};
use models::remote::Senses;
use serde::Serialize;

use super::output::table;
use super::{Error, Output};
use crate::config::NodeConfig;
use crate::node::{of_others, own_senses};

/// One engine's check-up.
#[derive(Debug, Serialize)]
struct Row {
    sense: &'static str,
    engine: &'static str,
    /// Whether it works; none where there is no engine, which a node can live without.
    well: Option<bool>,
    speed: String,
    quality: String,
}

pub(super) async fn run(config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let settings = config.engines_here();
    let others = of_others(config)?;
    // The canaries wait for their engines.
    let checked = tokio::task::spawn_blocking(move || {
        let own = own_senses(&settings)?;
        Ok::<_, Error>([own, others].iter().flat_map(check_up).collect::<Vec<Row>>())
    });
    let rows = checked.await.map_err(|why| Error::Runtime { why: std::io::Error::other(why) })??;
    output.show(&rows, |rows| text(rows))?;
    match rows.iter().filter(|row| row.well == Some(false)).count() {
        0 => Ok(()),
        engines => Err(Error::Unwell { engines }),
    }
}

fn check_up(senses: &Senses) -> Vec<Row> {
    senses.choices.iter().map(|choice| sense(senses, choice)).collect()
}

fn sense(senses: &Senses, choice: &Choice) -> Row {
    let engines = &senses.engines;
    let row = match choice.sense {
        Sense::Hearing => {
            engines.speech_to_text.as_deref().map(|engine| hears(choice, canary::hearing(engine)))
        }
        Sense::Speaking => {
            engines.text_to_speech.as_deref().map(|engine| speaks(choice, canary::speaking(engine)))
        }
        Sense::Comparing => {
            senses.embeddings.as_deref().map(|engine| compares(choice, canary::embeddings(engine)))
        }
        Sense::Pausing => senses.pause_judge.as_deref().map(|engine| pauses(choice, canary::pauses(engine))),
    };
    row.unwrap_or_else(|| absent(choice))
}

fn hears(choice: &Choice, tried: Result<canary::Understood, models::Error>) -> Row {
    match tried {
        Ok(heard) => {
            let percent = 100.0 * heard.wrong as f64 / heard.words.max(1) as f64;
            let quality =
                format!("{} of {} words wrong ({percent:.0} %) on bundled speech", heard.wrong, heard.words);
            row(choice, true, faster(heard.audio_ms, heard.took), quality)
        }
        Err(why) => row(choice, false, String::new(), why.to_string()),
    }
}

fn speaks(choice: &Choice, tried: Result<canary::Spoken, models::Error>) -> Row {
    match tried {
        Ok(spoken) => {
            let quality = format!("a sentence of {} ms", spoken.audio_ms);
            row(choice, true, faster(spoken.audio_ms, spoken.took), quality)
        }
        Err(why) => row(choice, false, String::new(), why.to_string()),
    }
}

fn compares(choice: &Choice, tried: Result<canary::Likeness, models::Error>) -> Row {
    match tried {
        Ok(found) => row(
            choice,
            true,
            format!("{:.0} texts/s", found.per_second),
            format!("paraphrase {:.2}, something else {:.2}", found.paraphrase, found.unrelated),
        ),
        Err(why) => row(choice, false, String::new(), why.to_string()),
    }
}

fn pauses(choice: &Choice, tried: Result<canary::Finished, models::Error>) -> Row {
    match tried {
        Ok(found) => row(
            choice,
            true,
            format!("{:.1} pauses/s", found.per_second),
            format!("a whole sentence {:.2}, half of one {:.2}", found.whole, found.half),
        ),
        Err(why) => row(choice, false, String::new(), why.to_string()),
    }
}

fn row(choice: &Choice, well: bool, speed: String, quality: String) -> Row {
    Row { well: Some(well), speed, quality, ..absent(choice) }
}

fn absent(choice: &Choice) -> Row {
    let sense = match choice.sense {
        Sense::Hearing => "speech to text",
        Sense::Speaking => "text to speech",
        Sense::Comparing => "embeddings",
        Sense::Pausing => "end of turn",
    };
    let engine = choice.engine.unwrap_or("none");
    Row { sense, engine, well: None, speed: String::new(), quality: choice.why.clone() }
}

/// How much faster than real time.
fn faster(audio_ms: u64, took: std::time::Duration) -> String {
    let factor = audio_ms as f64 / 1_000.0 / took.as_secs_f64().max(1e-6);
    format!("{factor:.1} × real time")
}

fn text(rows: &[Row]) -> String {
    let well = |well| match well {
        Some(true) => "well",
        Some(false) => "unwell",
        None => "-",
    };
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            [
                row.sense.into(),
                row.engine.into(),
                well(row.well).into(),
                row.speed.clone(),
                row.quality.clone(),
            ]
        })
        .collect();
    table(["SENSE", "ENGINE", "STATE", "SPEED", "QUALITY"], &cells)
}
