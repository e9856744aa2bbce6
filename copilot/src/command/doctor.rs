//! `copilot doctor`: gathers facts, has them judged, prints the diagnosis.

use crate::beneath::SharedDirectory;
use crate::confine::Needs;
use crate::doctor::facts::{Facts, Reason};
use crate::doctor::{Diagnosis, DoctorRequest, Finding, Group, Verdict, gather, judge, pod};
use crate::store::{Environment, Stores};
use crate::termination::Termination;
use crate::track::attach::find_place;

use super::conclude::{RunExit, last_line};
use super::request::Global;
use super::{confinement, print, session};

/// Looks, judges, prints. Writes no error document: nobody but the caller asked.
pub(super) async fn run(
    global: &Global,
    request: &DoctorRequest,
    termination: &mut Termination,
) -> RunExit {
    let diagnosis = if let Some(path) = &request.pod {
        match pod::examine(path, request.read_arguments) {
            Ok(findings) => Diagnosis::new(findings),
            Err(error) => {
                last_line(&format!("--pod {}: {error}", path.display()), None);
                return RunExit::Usage;
            }
        }
    } else {
        tokio::select! {
            diagnosis = examine(global, request) => diagnosis,
            () = termination.received() => {
                last_line("a signal ended doctor before it had looked at everything", None);
                return RunExit::WouldFail;
            }
        }
    };
    let text = if request.json {
        diagnosis.json()
    } else {
        diagnosis.text()
    };
    print(&text);
    match diagnosis.verdict() {
        Verdict::Fails => RunExit::WouldFail,
        Verdict::Degraded => RunExit::Degraded,
        Verdict::Ok | Verdict::NotChecked => RunExit::Done,
    }
}

/// Looks at this machine and the stores.
async fn examine(global: &Global, request: &DoctorRequest) -> Diagnosis {
    let mut settings = session::load_settings(global);
    if let (Ok(settings), Some(_)) = (&mut settings, &request.to) {
        session::without_platform(global, &mut settings.storage);
    }
    let stores = settings.as_ref().ok().map(|settings| {
        let environment = Environment::from_process();
        Stores::new(settings.storage.clone(), gather::patience(), environment)
    });
    let track = &request.sidecar.track;
    // As in a job: a flag that names a wrong directory ends it.
    let place = match find_place(track) {
        Ok(place) => place,
        Err(error) => {
            let finding = Finding::fails(Group::Place, "pod", error.to_string());
            return Diagnosis::new(vec![finding]);
        }
    };
    let outputs = request.from_local_dir.as_deref().map(SharedDirectory::at);
    let (watching, watch) = gather::watching(track, &place, outputs.as_ref()).await;
    let needs = match (&watch, &stores) {
        (Some(watch), Some(stores)) => {
            confinement::needs_of_sidecar(global, &request.sidecar, stores, watch)
        }
        _ => Needs::default(),
    };
    let connections = global.max_connections.map(|count| count.get() as usize);
    let facts = Facts {
        kernel: gather::kernel(),
        rights: gather::rights(&needs),
        place: gather::place(&place),
        watching,
        limits: gather::limits(global.max_memory, connections),
        volumes: gather::volumes(request, place.as_ref().ok()),
        stores: match &stores {
            Some(stores) => gather::stores(request, stores).await,
            None => Vec::new(),
        },
        settings: settings
            .as_ref()
            .map(gather::settings)
            .map_err(|error| Reason(error.to_string())),
        probed: request.probe,
    };
    Diagnosis::new(judge::judge(&facts))
}
