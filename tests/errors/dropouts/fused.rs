//! The ends of a layer's branch: bias, activation, dropout, residual.
use crate::{op, refused};
use ridgepole::{Activation, DType, Key, Op, Space, WeightForm, ops::*};

fn forward(space: Space) -> BiasActDropoutAdd {
    BiasActDropoutAdd::new(DType::F32, space, 0.5, Key::default())
}

/// The forward op, refused in these words, and its backward.
fn both(of: BiasActDropoutAdd, why: &str) {
    let backward = of.backward();
    for it in [op(of), op(backward)] {
        let want = format!("{}: {why}", it.name());
        refused(&[(it, &want)]);
    }
}

#[test]
fn fields_of_the_fused_dropout() {
    let small = forward(Space::channels_last(3, 4, 5));
    both(BiasActDropoutAdd { p: 1.5, ..small.clone() }, "`p` is 1.5, must be in 0..=1: the probability of dropping an element");
    both(BiasActDropoutAdd { dtype: DType::U32, ..small.clone() }, "`dtype` is U32, must be f32, f16 or bf16");
    for slope in [-0.1, f64::NAN] {
        let act = Activation::LeakyRelu { slope };
        let why =
            format!("`act` has slope {slope}, must be at least 0 and finite in f32: that of what is not positive, 0.01 is usual");
        both(BiasActDropoutAdd { act, ..small.clone() }, &why);
    }
    both(
        forward(Space::channels_first(1, 3, 1 << 30)),
        "`space` has 3221225472 places after which the bias repeats, must be at most 2^30",
    );
    assert!(
        BiasActDropoutAdd { bias: false, ..forward(Space::channels_first(1, 3, 1 << 20)) }.lower(&crate::plain_gpu()).is_ok()
    );
}

#[test]
fn fields_of_dropout_before_a_norm() {
    let both = |of: DropoutAddLayerNorm, why: &str| {
        let backward = of.backward(true);
        for it in [op(of), op(backward)] {
            let want = format!("{}: {why}", it.name());
            refused(&[(it, &want)]);
        }
    };
    let small = DropoutAddLayerNorm::new(DType::F32, 3, 4, 0.5, Key::default());
    both(
        DropoutAddLayerNorm { p: -0.5, ..small.clone() },
        "`p` is -0.5, must be in 0..=1: the probability of dropping an element",
    );
    both(DropoutAddLayerNorm { dtype: DType::U32, ..small.clone() }, "`dtype` is U32, must be f32, f16 or bf16");
    both(
        DropoutAddLayerNorm { rows: 1 << 20, cols: 1 << 20, ..small.clone() },
        "`rows` x cols is 1048576 x 1048576 elements, must be at most 2^34 - 4: split it",
    );
    both(
        DropoutAddLayerNorm { weight_form: WeightForm::OnePlus, ..small.clone() },
        "`weight_form` is OnePlus, must be plain for layer norm: 1 + w is a convention of RMS norm",
    );
    refused(&[(
        op(DropoutAddLayerNorm { eps: -1.0, ..small }),
        "dropout_add_layer_norm: `eps` is -1, must be at least 0 and finite in f32; 1e-5 is usual",
    )]);
}
