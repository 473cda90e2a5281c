//! `users add|list|remove`.

use actors::types::{Private, Role, User};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::access::{Access, Missing};
use super::output::table;
use super::paging::{Paging, tell_next};
use super::tenant::Which;
use super::{Error, Output, times};
use crate::config::NodeConfig;
use crate::operator::{Answer, Request, Rows};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Take in somebody who signs in for a business
    Add(Add),
    /// List a business's users
    List(List),
    /// Remove a user; their e-mail address is free then
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Their e-mail address, which nobody else has
    #[arg(value_name = "EMAIL")]
    email: String,
    /// What they are called
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// What they may do
    #[arg(long, value_name = "ROLE", default_value = Role::Agent.name(),
          value_parser = PossibleValuesParser::new(Role::ALL.map(Role::name)))]
    role: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Their e-mail address
    #[arg(value_name = "EMAIL")]
    email: String,
    #[command(flatten)]
    which: Which,
}

pub(super) async fn run(verb: Verb, config: &NodeConfig, output: &mut Output<'_>) -> Result<(), Error> {
    let access = Access::to(config, Missing::Refuse).await?;
    match verb {
        Verb::Add(add) => {
            let role = Role::ALL.into_iter().find(|role| role.name() == add.role).unwrap_or(Role::Viewer);
            let (email, name) = (Private::new(add.email), Private::new(add.name));
            let request = Request::AddUser { tenant: add.which.id(), email, name, role };
            let Answer::User(user) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
            output.show(&user, |user| {
                format!("{} is a user of {} now, {}\n", shown(user), user.tenant, user.id)
            })
        }
        Verb::List(list) => {
            let request = Request::Users { tenant: list.which.id(), page: list.paging.page() };
            let Answer::Users(rows) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
            output.show(&rows, text)?;
            tell_next(&rows);
            Ok(())
        }
        Verb::Remove(remove) => {
            let email = Private::new(remove.email);
            let request = Request::RemoveUser { tenant: remove.which.id(), email };
            let Answer::User(user) = access.ask(request).await? else { return Err(Error::OtherAnswer) };
            output.show(&user, |user| format!("{} is no user of {} any more\n", shown(user), user.tenant))
        }
    }
}

fn shown(user: &User) -> &str {
    user.email.reveal().as_str()
}

fn text(rows: &Rows<User>) -> String {
    let cells: Vec<[String; 5]> = rows
        .rows
        .iter()
        .map(|user| {
            [
                times::moment(user.created_at, &rows.time_zone),
                user.role.name().to_owned(),
                shown(user).to_owned(),
                user.name.reveal().clone(),
                user.id.to_string(),
            ]
        })
        .collect();
    table(["SINCE", "ROLE", "E-MAIL", "NAME", "ID"], &cells)
}
