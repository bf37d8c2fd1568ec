use super::{Assignment, LeafSet, Shape, Sides, assign, assign_possible, can_be_met};
use proptest::prelude::*;

/// Leaves as `(need, who could serve it)`.
fn found(shape: &Shape, leaves: &[(u32, &[usize])], people: usize, distinct: bool) -> (Assignment, Vec<Vec<usize>>) {
    let needs: Vec<u32> = leaves.iter().map(|(need, _)| *need).collect();
    let mut sets = vec![LeafSet::default(); people];
    for (leaf, (_, eligible)) in leaves.iter().enumerate() {
        eligible.iter().for_each(|person| sets[*person].add(LeafSet::only(leaf)));
    }
    let sides = Sides { needs: &needs, people: &sets, distinct };
    let assignment = assign(shape, &sides);
    let serving = (0..leaves.len()).map(|leaf| assignment.serving(&sides, leaf).collect()).collect();
    (assignment, serving)
}

fn all(leaves: usize) -> Shape {
    Shape::All((0..leaves).map(Shape::Leaf).collect())
}

#[test]
fn a_person_who_fits_two_leaves_is_moved_if_a_greedy_choice_fails() {
    // Person 0 fits both leaves and came first; person 1 fits only the first.
    let (assignment, serving) = found(&all(2), &[(1, &[0, 1]), (1, &[0])], 2, true);
    assert_eq!(assignment.lacking, 0);
    assert_eq!(serving, [vec![1], vec![0]]);
}

#[test]
fn a_person_serves_one_leaf_with_distinct_and_each_without() {
    let leaves: [(u32, &[usize]); 2] = [(1, &[0]), (1, &[0])];
    assert_eq!(found(&all(2), &leaves, 1, true).0.lacking, 1);
    assert_eq!(found(&all(2), &leaves, 1, false).0.lacking, 0);
}

#[test]
fn the_choice_that_lacks_the_fewest_wins_and_of_equal_ones_the_first() {
    let any = Shape::Any(vec![Shape::Leaf(0), Shape::Leaf(1)]);
    assert_eq!(found(&any, &[(3, &[0]), (2, &[1])], 2, true).0.chosen, LeafSet::only(1));
    assert_eq!(found(&any, &[(2, &[0]), (2, &[1])], 2, true).0.chosen, LeafSet::only(0));
    assert_eq!(found(&any, &[(2, &[]), (2, &[])], 0, true).0.chosen, LeafSet::only(0));
}

#[test]
fn a_choice_whose_parts_may_not_apply_is_never_met() {
    let doubtful = Shape::Doubtful(vec![Shape::Leaf(0)]);
    assert_eq!(found(&doubtful, &[(1, &[0])], 1, true).0.lacking, 1);
    assert_eq!(found(&doubtful, &[(1, &[0])], 1, false).0.lacking, 1);
}

#[test]
fn a_choice_of_thirty_two_leaves_is_found_quickly() {
    let any = |at: usize| Shape::Any(vec![Shape::Leaf(at), Shape::Leaf(at + 1)]);
    let shape = Shape::All((0..16).map(|pair| any(pair * 2)).collect());
    let eligible: Vec<[usize; 2]> = (0..32).map(|leaf| [leaf % 7, (leaf + 3) % 7]).collect();
    let leaves: Vec<(u32, &[usize])> = eligible.iter().map(|people| (2, people.as_slice())).collect();
    assert_eq!(found(&shape, &leaves, 7, true).0.lacking, 32 - 7);
}

/// Ten choices of three leaves and one of two, the most choices of all.
fn most_choices() -> Shape {
    let any = |first: usize, leaves: usize| Shape::Any((first..first + leaves).map(Shape::Leaf).collect());
    Shape::All((0..10).map(|at| any(at * 3, 3)).chain([any(30, 2)]).collect())
}

#[test]
fn the_most_choices_that_there_can_be_are_searched_quickly() {
    // Eight people are left for nine of the choices, and a hundred can serve only another.
    let [first, rest, last] = [0..3_usize, 3..30, 30..32].map(LeafSet::from_iter);
    let people = [vec![first; 100], vec![rest; 8], vec![last; 2]].concat();
    let sides = Sides { needs: &[1; 32], people: &people, distinct: true };
    assert_eq!(assign(&most_choices(), &sides).lacking, 1);
    assert_eq!(assign_possible(&most_choices(), &sides, &sides), None);
    assert!(!can_be_met(&most_choices(), &sides, LeafSet::default()));
    let one_more = [people.as_slice(), &[rest]].concat();
    let everyone = Sides { people: &one_more, ..sides };
    assert_eq!(assign_possible(&most_choices(), &sides, &everyone).map(|found| found.lacking), Some(1));
    assert!(can_be_met(&most_choices(), &everyone, LeafSet::default()));
}

/// Every choice and every assignment, one by one.
fn fewest_lacking(choices: &[Vec<usize>], leaves: &[(u32, &[usize])], people: usize) -> u32 {
    fn best(open: &[(usize, u32)], leaves: &[(u32, &[usize])], person: usize, people: usize) -> u32 {
        if person == people {
            return open.iter().map(|(_, need)| need).sum();
        }
        let mut least = best(open, leaves, person + 1, people);
        for at in 0..open.len() {
            let (leaf, need) = open[at];
            if need > 0 && leaves[leaf].1.contains(&person) {
                let mut open = open.to_vec();
                open[at].1 -= 1;
                least = least.min(best(&open, leaves, person + 1, people));
            }
        }
        least
    }
    choices
        .iter()
        .map(|chosen| {
            let open: Vec<_> = chosen.iter().map(|leaf| (*leaf, leaves[*leaf].0)).collect();
            best(&open, leaves, 0, people)
        })
        .min()
        .unwrap()
}

proptest! {
    #[test]
    fn the_assignment_agrees_with_trying_them_all(
        masks in proptest::collection::vec((1_u32..3, 0_u8..32), 4),
    ) {
        let eligible: Vec<Vec<usize>> =
            masks.iter().map(|(_, mask)| (0..5).filter(|person| mask & (1 << person) != 0).collect()).collect();
        let leaves: Vec<(u32, &[usize])> =
            masks.iter().zip(&eligible).map(|((need, _), people)| (*need, people.as_slice())).collect();
        // One of leaves 0 and 1, and one of leaf 2 or both of 2 and 3.
        let shape = Shape::All(vec![
            Shape::Any(vec![Shape::Leaf(0), Shape::Leaf(1)]),
            Shape::Any(vec![Shape::All(vec![Shape::Leaf(2), Shape::Leaf(3)]), Shape::Leaf(2)]),
        ]);
        let choices = [vec![0, 2, 3], vec![1, 2, 3], vec![0, 2], vec![1, 2]];
        let lacking = found(&shape, &leaves, 5, true).0.lacking;
        prop_assert_eq!(lacking, fewest_lacking(&choices, &leaves, 5));
    }
}
