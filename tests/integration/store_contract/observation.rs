//! The contract for deliveries, observations, vetoes and publications.

use super::*;

pub(crate) async fn a_delivery_is_processed_until_it_is_done_and_then_never_again(store: Store) {
    let delivery = |text| DeliveryId::new(text).expect("a delivery id");
    let (one, other) = (delivery("3f0c"), delivery("3f0c-b"));
    assert_eq!(store.begin_delivery(&one, at(0)).await, Ok(DeliveryState::Recorded));
    assert_eq!(store.begin_delivery(&one, at(1)).await, Ok(DeliveryState::Recorded));
    store.finish_delivery(&one, at(2)).await.expect("done");
    assert_eq!(store.begin_delivery(&one, at(3)).await, Ok(DeliveryState::Done));
    store.finish_delivery(&one, at(4)).await.expect("done again");
    assert_eq!(store.begin_delivery(&one, at(5)).await, Ok(DeliveryState::Done));
    assert_eq!(store.begin_delivery(&other, at(6)).await, Ok(DeliveryState::Recorded));
}

pub(crate) async fn observations_are_merged_and_none_is_lost(store: Store) {
    let here = pull_request("acme/checkout#1");
    assert_eq!(store.observed(&here).await, Ok(Observed::default()));
    let review = |id: u64, body: &str| Review {
        id: ReviewId(id),
        user: Some(person(1, "pia")),
        state: ReviewState::Approved,
        was: None,
        dismissed_by: None,
        revision: Some(revision('a')),
        bound_by: BoundBy::Delivery,
        submitted_at: Some(at(1)),
        edited: false,
        body: body.to_owned(),
    };
    let given = |id, body| Observation::ReviewGiven { review: review(id, body) };
    let seen = |digit, before, pusher, seconds| Observation::HeadSeen {
        head: revision(digit),
        before,
        pusher,
        at: at(seconds),
    };
    let opened = |seconds| Observation::Opened {
        head: revision('b'),
        by: Some(person(3, "dave")),
        from_fork: true,
        at: at(seconds),
    };
    let mut all = vec![
        given(7, "first word"),
        given(7, "edited"),
        Observation::ReviewDismissed { review: ReviewId(7), by: person(2, "pat") },
        seen('a', None, Some(person(3, "dave")), 5),
        seen('a', Some(revision('b')), Some(person(3, "dave")), 4),
        seen('a', Some(revision('b')), Some(person(2, "pat")), 3),
        opened(2),
        opened(1),
        Observation::BaseChanged { at: at(9) },
        Observation::BaseChanged { at: at(8) },
    ];
    let mut expected = Observed::default();
    for (index, observation) in all.iter().cloned().enumerate() {
        let name = if index % 2 == 0 { "ACME/checkout#1" } else { "acme/Checkout#1" };
        store.observe(&pull_request(name), observation.clone()).await.expect("kept");
        expected.add(observation);
    }
    assert_eq!(store.observed(&here).await, Ok(expected.clone()));
    assert_eq!(store.observed(&pull_request("acme/checkout#10")).await, Ok(Observed::default()));

    // Concurrent observations: none overwrites another.
    let many: Vec<Observation> = (100..124).map(|id| given(id, "one of many")).collect();
    let tasks = many.iter().cloned().map(|observation| {
        let (store, here) = (Arc::clone(&store), here.clone());
        tokio::spawn(async move { store.observe(&here, observation).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a task").expect("kept");
    }
    all.extend(many);
    all.into_iter().for_each(|observation| expected.add(observation));
    assert_eq!(store.observed(&here).await, Ok(expected));
}

pub(crate) async fn a_veto_stands_once_for_a_person_and_pull_request_with_its_latest_time(store: Store) {
    let veto = |by, seconds, pull: &str| Veto { by, at: at(seconds), pull_request: pull_request(pull) };
    let (pia, pat) = (person(1, "pia"), person(2, "pat"));
    let of = revision('a');
    for given in [
        veto(pia.clone(), 5, "acme/checkout#1"),
        veto(pia.clone(), 5, "Acme/Checkout#1"),
        veto(pia.clone(), 9, "acme/checkout#1"),
        veto(pia.clone(), 7, "acme/checkout#1"),
        veto(pia.clone(), 1, "acme/checkout#2"),
        veto(pat.clone(), 3, "acme/checkout#1"),
    ] {
        store.remember_veto(&of, given).await.expect("kept");
    }
    let expected =
        [veto(pia.clone(), 1, "acme/checkout#2"), veto(pat, 3, "acme/checkout#1"), veto(pia, 9, "acme/checkout#1")];
    assert_eq!(store.vetoes(&of).await, Ok(expected.to_vec()));
    assert_eq!(store.vetoes(&revision('b')).await, Ok(Vec::new()));
}

fn publication(version: u64, due: Option<i64>) -> Published {
    let placed = Placed { id: Some(7), digest: "d".into(), begun: false };
    let requested =
        [("pia", 'a'), ("acme/sre", 'b')].map(|(who, head)| (who.parse().expect("a reviewer"), revision(head)));
    let request = PublishedRequest {
        version: 3,
        head: Some(revision('a')),
        last: true,
        deployment: Some(placed.clone()),
        state: Some(DeploymentState::InProgress),
    };
    Published {
        version,
        lease: Some(at(9)),
        again: true,
        due_at: due.map(at),
        public: Some(false),
        comment: Some(placed.clone()),
        checks: [("a countersign / checkout / production".to_owned(), placed)].into(),
        requests: [(pending("one", 0).id, request)].into(),
        requested: requested.into(),
    }
}

pub(crate) async fn a_publication_is_saved_only_if_its_last_version_is_known(store: Store) {
    let here = pull_request("acme/checkout#1");
    assert_eq!(store.published(&here).await, Ok(Published::default()));
    assert_eq!(store.save_published(&here, &publication(2, None)).await, Ok(false));
    assert_eq!(store.save_published(&here, &publication(1, None)).await, Ok(true));
    assert_eq!(store.published(&pull_request("ACME/Checkout#1")).await, Ok(publication(1, None)));
    assert_eq!(store.save_published(&here, &publication(1, Some(5))).await, Ok(false));
    assert_eq!(store.published(&here).await, Ok(publication(1, None)));
    let tasks = (0..8).map(|_| {
        let (store, here) = (Arc::clone(&store), here.clone());
        tokio::spawn(async move { store.save_published(&here, &publication(2, None)).await })
    });
    let mut kept = 0;
    for task in tasks.collect::<Vec<_>>() {
        kept += usize::from(task.await.expect("a task").expect("an answer"));
    }
    assert_eq!(kept, 1);
    assert_eq!(store.published(&pull_request("acme/checkout#2")).await, Ok(Published::default()));
}

pub(crate) async fn publications_are_due_in_the_order_of_time_and_only_while_they_have_a_due_time(store: Store) {
    let pulls = ["acme/checkout#1", "acme/checkout#10", "acme/checkout#2"].map(pull_request);
    for (at, due) in pulls.iter().zip([30, 10, 20]) {
        assert_eq!(store.save_published(at, &publication(1, Some(due))).await, Ok(true));
    }
    assert_eq!(store.publications_due(at(9)).await, Ok(Vec::new()));
    assert_eq!(store.publications_due(at(20)).await, Ok(vec![pulls[1].clone(), pulls[2].clone()]));
    assert_eq!(store.save_published(&pulls[1], &publication(2, Some(40))).await, Ok(true));
    assert_eq!(store.save_published(&pulls[2], &publication(2, None)).await, Ok(true));
    assert_eq!(store.publications_due(at(30)).await, Ok(vec![pulls[0].clone()]));
    assert_eq!(store.publications_due(at(40)).await, Ok(vec![pulls[0].clone(), pulls[1].clone()]));
}

pub(crate) async fn the_pull_requests_with_checks_on_a_commit_are_found_once_and_no_other_ones(store: Store) {
    let head = revision('a');
    let repository = pull_request("acme/checkout#1").repository;
    assert_eq!(store.published_on(&repository, &head).await, Ok(Vec::new()));
    for (name, digit) in
        [("acme/checkout#10", 'a'), ("acme/checkout#2", 'a'), ("acme/checkout#2", 'a'), ("acme/checkout#3", 'b')]
    {
        store.publish_on(&pull_request(name), &revision(digit)).await.expect("kept");
    }
    store.publish_on(&pull_request("acme/other#1"), &head).await.expect("kept");
    let shouted = pull_request("ACME/checkout#1").repository;
    for of in [repository, shouted] {
        let expected = vec![pull_request("acme/checkout#2"), pull_request("acme/checkout#10")];
        assert_eq!(store.published_on(&of, &head).await, Ok(expected));
    }
}
