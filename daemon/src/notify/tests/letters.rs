//! Letters to several people, of whom some get them sooner than others.

use lettre::Address;
use url::Host;

use super::*;
use crate::notify::mail::Mail;
use crate::notify::smtp::{Tls, mark};
use crate::notify::when::Batch;

/// A mail server that takes nothing for some addresses until it is told to, and whom it took each letter for.
struct Server {
    puts_off: Arc<Mutex<Vec<&'static str>>>,
    got: mpsc::UnboundedSender<Vec<String>>,
}

impl Post for Server {
    fn post<'a>(&'a self, _to: &'a Receiver, parcel: Parcel) -> BoxFuture<'a, Result<u16, PostError>> {
        Box::pin(async move {
            let Parcel::Letter(letter) = parcel else { panic!("no letter") };
            let puts_off = self.puts_off.lock().unwrap().clone();
            let is_off = |address: &Address| puts_off.contains(&address.user());
            let (off, taken): (Vec<_>, Vec<_>) = letter.to.iter().partition(|address| is_off(address));
            self.got.send(taken.iter().map(|address| address.user().to_owned()).collect()).unwrap();
            let has = taken.iter().map(|address| mark(address)).collect();
            let (refused, all) = (off.len(), letter.to.len());
            match refused {
                0 => Ok(250),
                refused if refused == all => Err(PostError::PutOff(450)),
                _ => Err(PostError::Partly { refused, all, code: 450, for_good: false, has }),
            }
        })
    }
}

struct Letters {
    desk: Arc<Desk>,
    puts_off: Arc<Mutex<Vec<&'static str>>>,
    got: mpsc::UnboundedReceiver<Vec<String>>,
}

fn letters(batch: Option<Batch>) -> Letters {
    let mail = Mail {
        host: Host::parse("mail.example").unwrap(),
        port: 465,
        tls: Tls::Implicit,
        login: None,
        from: "treasury@treasury.example".parse().unwrap(),
        to: ["alice@a.example", "bob@b.example", "carol@c.example"].map(|to| to.parse().unwrap()).to_vec(),
    };
    let receiver = Receiver::of_mail("smtps://mail.example:465".to_owned(), None, true);
    let channel = Channel { name: "mail".to_owned(), receiver, form: Form::Email(mail), batch };
    let route = Route { channels: vec!["mail".to_owned()], ..Route::default() };
    let config = NotifyConfig { channels: vec![channel], routes: vec![route], ..NotifyConfig::default() };
    let outbox = Outbox::open(Box::new(Disk::default()), "s").unwrap();
    let (send, got) = mpsc::unbounded_channel();
    let puts_off = Arc::default();
    let post = Box::new(Server { puts_off: Arc::clone(&puts_off), got: send });
    let began = Instant::now();
    let clock = Clock::new(move || BEGINS_MS + u64::try_from(began.elapsed().as_millis()).unwrap());
    let metrics = Arc::new(Metrics::new().unwrap());
    let desk = Arc::new(Desk::new(config, outbox, clock, post, Box::new(|| 500), metrics));
    Letters { desk, puts_off, got }
}

impl Letters {
    fn work(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let desk = Arc::clone(&self.desk);
        tasks.spawn(async move { worker::run(&desk, &desk.config.channels[0]).await });
        tasks
    }

    fn put_off(&self, people: &[&'static str]) {
        *self.puts_off.lock().unwrap() = people.to_vec();
    }

    async fn next(&mut self) -> Vec<String> {
        self.got.recv().await.unwrap()
    }

    async fn settled(&self) {
        while self.desk.outbox().waiting("mail") > 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Danger: of three people one's mailbox is full, and the other two are woken nine times for one thing.
#[tokio::test(start_paused = true)]
async fn whoever_has_a_letter_does_not_get_it_again_because_others_lack_it() {
    let mut letters = letters(None);
    let _work = letters.work();
    letters.put_off(&["alice", "carol"]);
    letters.desk.try_out("mail", "erin").unwrap();
    assert_eq!(letters.next().await, ["bob"]);
    assert_eq!(letters.next().await, Vec::<String>::new(), "nobody yet");
    letters.put_off(&["carol"]);
    assert_eq!(letters.next().await, ["alice"]);
    letters.put_off(&[]);
    assert_eq!(letters.next().await, ["carol"]);
    letters.settled().await;
    assert_eq!(letters.desk.outbox().dead("mail"), 0);
    letters.desk.try_out("mail", "erin").unwrap();
    assert_eq!(letters.next().await, ["alice", "bob", "carol"], "another letter is everybody's");
}

/// Danger: what is gathered into one letter goes by who has the first notice of it, and somebody lacks the others.
#[tokio::test(start_paused = true)]
async fn of_what_is_gathered_into_a_letter_those_go_together_that_the_same_people_lack() {
    let letters = letters(Some(Batch { period_seconds: 60, below: Severity::Critical }));
    let marks = vec![mark(&"bob@b.example".parse().unwrap())];
    for (has, expected) in [(marks, 1), (Vec::new(), 2)] {
        letters.desk.try_out("mail", "erin").unwrap();
        letters.desk.try_out("mail", "erin").unwrap();
        let last = letters.desk.outbox().last();
        let due = super::super::outbox::Delivery::due(BEGINS_MS);
        let mut outbox = letters.desk.outbox();
        outbox.set("mail", last - 1, &super::super::outbox::Delivery { has, ..due.clone() }).unwrap();
        outbox.set("mail", last, &due).unwrap();
        drop(outbox);
        let message = worker::message(&letters.desk, &letters.desk.config.channels[0], last - 1);
        assert_eq!(message.unwrap().unwrap().notices.len(), expected);
    }
}

/// Danger: one notice that the disk has damaged keeps all that comes after it from going.
#[tokio::test(start_paused = true)]
async fn a_notice_that_is_damaged_is_given_up_and_the_others_go() {
    let disk = Disk::default();
    let mut world = world(&disk, &["ops"]);
    world.tell("ops", 3);
    disk.damage(2);
    let _work = world.work();
    for _ in 0..2 {
        world.got.recv().await.unwrap();
    }
    while world.waiting("ops") > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.desk.outbox().dead("ops"), 1);
    assert!(world.got.try_recv().is_err());
}
