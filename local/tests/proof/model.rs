//! Random stories of people, attackers and lost answers, told to the service and
//! to a plain model of it, which must agree on every answer, every message and
//! everything that stands in the table at the end.
//!
//! A story is a vector of operations, each of which means something in any state
//! ("guess at the last code but one"), so that proptest may leave any of them out
//! when it shrinks a story that fails. `proptest-state-machine` would generate
//! operations from the state of the model and check them against it again while
//! it shrinks; nothing here needs that, and its driver is not async.
//!
//! CI tells some stories of one seed. For a longer run, of other seeds:
//!
//! ```sh
//! OTP_MODEL_CASES=1000 OTP_MODEL_SEED=7 cargo test -p local --test proof model
//! ```

mod choices;
mod driver;
mod guesses;
mod logins;
mod operations;
mod refreshes;
mod rules;
mod standing;
mod wire;

use proptest::{
    collection::vec,
    test_runner::{Config, RngSeed, TestRunner},
};

use self::{driver::Driver, operations::operation};
use crate::setting;

/// Enough to meet every rule, and bounded: about half a minute.
const CASES: u32 = 24;
const SEED: u32 = 20_260_101;
const LONGEST_STORY: usize = 60;

#[test]
fn the_service_does_what_a_plain_model_of_it_does() {
    let config = Config {
        cases: setting("OTP_MODEL_CASES", CASES),
        rng_seed: RngSeed::Fixed(setting("OTP_MODEL_SEED", SEED).into()),
        failure_persistence: None,
        max_shrink_iters: setting("OTP_MODEL_SHRINKS", 500),
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let driver = runtime.block_on(Driver::start());
    let told = TestRunner::new(config).run(&vec(operation(), 30..=LONGEST_STORY), |story| {
        runtime.block_on(driver.tell(&story))
    });
    if let Err(failed) = told {
        panic!("{failed}");
    }
    driver.assert_all_was_seen();
}
