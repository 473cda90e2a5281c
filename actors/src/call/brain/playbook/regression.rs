//! Which class a vector belongs to: ridge regression with a Gaussian kernel, one answer for each class (Rifkin and
//! Lippert, "Notes on Regularized Least Squares", MIT 2007). It has a closed form, and so has what each example's own
//! answer would have been, had it been left out: both are the same on every machine and need no chance.

/// How fast likeness falls with distance.
const SHARPNESS: f64 = 0.5;
/// How far the answers stay from the examples: more is smoother.
const RIDGE: f64 = 0.1;

/// Fitted to examples.
#[derive(Debug, Clone)]
pub(crate) struct Regression {
    examples: Vec<Vec<f32>>,
    /// For each example a weight for each class.
    weights: Vec<Vec<f32>>,
    classes: usize,
}

impl Regression {
    /// Fits vectors of length 1 to the classes that they are of, numbered from 0; and the answers for each of them as
    /// if it had been left out. None where the vectors are no numbers. Takes time with the cube of their number.
    pub(crate) fn fit(
        examples: Vec<Vec<f32>>,
        class_of: &[usize],
        classes: usize,
    ) -> Option<(Self, Vec<Vec<f32>>)> {
        let factor = factor(&examples)?;
        let mut weights = vec![vec![0.0; classes]; examples.len()];
        for class in 0..classes {
            let wanted = class_of.iter().map(|of| if *of == class { 1.0 } else { 0.0 });
            for (weights, weight) in weights.iter_mut().zip(solve(&factor, wanted.collect())) {
                weights[class] = weight;
            }
        }
        let left_out = weights.iter().zip(class_of).enumerate().map(|(place, (weights, of))| {
            let own = inverse_at(&factor, place);
            let answer = |(class, weight): (usize, &f64)| {
                let wanted = if *of == class { 1.0 } else { 0.0 };
                (wanted - weight / own) as f32
            };
            weights.iter().enumerate().map(answer).collect()
        });
        let left_out = left_out.collect();
        let narrow = |row: &Vec<f64>| row.iter().map(|weight| *weight as f32).collect();
        Some((Self { weights: weights.iter().map(narrow).collect(), examples, classes }, left_out))
    }

    /// The answer for each class: near 1 for what is certainly of it, near 0 for what is not.
    pub(crate) fn answers(&self, vector: &[f32]) -> Vec<f32> {
        let mut answers = vec![0.0; self.classes];
        for (example, weights) in self.examples.iter().zip(&self.weights) {
            let near = kernel(vector, example) as f32;
            for (answer, weight) in answers.iter_mut().zip(weights) {
                *answer += near * weight;
            }
        }
        answers
    }
}

/// 1 for the same direction, less the further apart.
fn kernel(one: &[f32], other: &[f32]) -> f64 {
    let cosine: f32 = one.iter().zip(other).map(|(one, other)| one * other).sum();
    (-SHARPNESS * 2.0 * (1.0 - f64::from(cosine))).exp()
}

/// The Cholesky factor of the examples' kernel matrix with the ridge added, by rows.
fn factor(examples: &[Vec<f32>]) -> Option<Vec<Vec<f64>>> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(examples.len());
    for (place, example) in examples.iter().enumerate() {
        let mut row = Vec::with_capacity(place + 1);
        for (before, other) in rows.iter().zip(examples) {
            let diagonal = before.last()?;
            row.push((kernel(example, other) - dot(&row, before)) / diagonal);
        }
        let left = kernel(example, example) + RIDGE - dot(&row, &row);
        // Not above nought, or no number at all.
        if left.is_nan() || left <= 0.0 {
            return None;
        }
        row.push(left.sqrt());
        rows.push(row);
    }
    Some(rows)
}

/// The solution for one right side.
fn solve(factor: &[Vec<f64>], mut side: Vec<f64>) -> Vec<f64> {
    for (place, row) in factor.iter().enumerate() {
        let (known, rest) = side.split_at_mut(place);
        side_step(row, known, rest);
    }
    for (place, row) in factor.iter().enumerate().rev() {
        side[place] /= row[place];
        let solved = side[place];
        for (other, weight) in side.iter_mut().zip(row.iter().take(place)) {
            *other -= weight * solved;
        }
    }
    side
}

/// The next unknown of a forward substitution.
fn side_step(row: &[f64], known: &[f64], rest: &mut [f64]) {
    if let (Some(next), Some(diagonal)) = (rest.first_mut(), row.last()) {
        *next = (*next - dot(row, known)) / diagonal;
    }
}

/// The inverse's diagonal at `place`: the squared length of a column of the inverse of the factor.
fn inverse_at(factor: &[Vec<f64>], place: usize) -> f64 {
    let mut column: Vec<f64> = Vec::with_capacity(factor.len() - place);
    for (number, row) in factor.iter().enumerate().skip(place) {
        let one = if number == place { 1.0 } else { 0.0 };
        column.push((one - dot(&row[place..number], &column)) / row[number]);
    }
    dot(&column, &column)
}

/// As far as the shorter goes.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directions in a plane, by degrees.
    fn directions(degrees: &[f32]) -> Vec<Vec<f32>> {
        degrees.iter().map(|angle| vec![angle.to_radians().cos(), angle.to_radians().sin()]).collect()
    }

    const ANGLES: [f32; 7] = [0.0, 10.0, 25.0, 100.0, 110.0, 130.0, 260.0];
    const CLASSES: [usize; 7] = [0, 0, 0, 1, 1, 1, 2];

    #[test]
    fn what_is_near_a_class_is_of_it_and_what_is_far_from_all_is_of_none() {
        let (regression, _) = Regression::fit(directions(&ANGLES), &CLASSES, 3).expect("numbers");
        let of = |angle: f32| regression.answers(&directions(&[angle])[0]);
        let (near_first, near_second, far) = (of(12.0), of(115.0), of(180.0));
        assert!(near_first[0] > 0.8 && near_first[1] < 0.3 && near_first[2] < 0.2, "{near_first:?}");
        assert!(near_second[1] > 0.8 && near_second[0] < 0.3, "{near_second:?}");
        assert!(far.iter().all(|answer| *answer < 0.6), "{far:?}");
    }

    #[test]
    fn left_out_answers_are_those_of_a_fit_without_the_example() {
        let all = directions(&ANGLES);
        let (_, left_out) = Regression::fit(all.clone(), &CLASSES, 3).expect("numbers");
        for (place, vector) in all.iter().enumerate() {
            let keep = |other: &usize| *other != place;
            let others: Vec<usize> = (0..all.len()).filter(keep).collect();
            let vectors = others.iter().map(|other| all[*other].clone()).collect();
            let classes: Vec<usize> = others.iter().map(|other| CLASSES[*other]).collect();
            let (without, _) = Regression::fit(vectors, &classes, 3).expect("numbers");
            for (one, other) in left_out[place].iter().zip(without.answers(vector)) {
                assert!((one - other).abs() < 1e-4, "{place}: {one} {other}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert!(Regression::fit(vec![vec![f32::NAN, 0.0]], &[0], 1).is_none());
        let (nothing, left_out) = Regression::fit(Vec::new(), &[], 2).expect("nothing is no fault");
        assert_eq!((nothing.answers(&[1.0, 0.0]), left_out.len()), (vec![0.0, 0.0], 0));
    }
}
