//! Random stories of users, attackers and lost replies. The service and a plain model of it must
//! agree on each answer, on each message, and on the table at the end of each story.
//!
//! A story asks two instances of the functions, whose clocks are up to a minute apart. It is a
//! vector of operations. Each operation is valid in any state ("guess at the last
//! code but one"), so that proptest can drop any of them when it shrinks a story that fails.
//! `proptest-state-machine` generates operations from the model's state instead. The stories do
//! not need that, and its runner is not async.
//!
//! CI runs some stories of one seed. For a longer run with another seed:
//!
//! ```sh
//! OTP_MODEL_CASES=1000 OTP_MODEL_SEED=7 cargo test -p tests --test resilience model
//! ```

mod choices;
mod guesses;
mod limits;
mod logins;
mod operations;
mod refreshes;
mod rules;
mod runner;
mod table;
pub mod wire;

use proptest::test_runner::{Config, RngSeed, TestRunner};
use tests::setting;

use self::{operations::story, runner::StoryRunner};

/// Enough to meet every rule, in about half a minute.
const CASES: u32 = 24;
const SEED: u32 = 20_260_101;
const LONGEST_STORY: usize = 60;

#[test]
fn the_service_does_what_a_plain_model_of_it_predicts() {
    let config = Config {
        cases: setting("OTP_MODEL_CASES", CASES),
        rng_seed: RngSeed::Fixed(setting("OTP_MODEL_SEED", SEED).into()),
        failure_persistence: None,
        max_shrink_iters: setting("OTP_MODEL_SHRINKS", 500),
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let runner = runtime.block_on(StoryRunner::start());
    let stories = story(30..=LONGEST_STORY);
    let result =
        TestRunner::new(config).run(&stories, |story| runtime.block_on(runner.run(&story)));
    if let Err(failed) = result {
        panic!("{failed}");
    }
    runner.assert_every_outcome_occurred();
}
