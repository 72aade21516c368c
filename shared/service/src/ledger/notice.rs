use otp_domain::{Limit, OperationId, UnixTime};
use rand::CryptoRng;

use super::{
    Ledger,
    admit::read,
    entry::{Entry, Owed, Sent},
    page::Page,
};
use crate::{
    fault::Fault,
    table::{Written, condition_failed, within_budget},
};

impl Ledger {
    /// Counts a notice against its limits. Returns `false` if one of them is full: then nothing
    /// is counted.
    ///
    /// # Errors
    ///
    /// The table is broken. The notice may be counted.
    pub async fn admit_notice(
        &self,
        limits: &[Limit],
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Fault> {
        let id = OperationId::draw(rng);
        let pages = Page::of(limits.iter().map(Entry::Window), now, rng);
        within_budget("admit notice", self.try_pages(pages, &id)).await
    }

    async fn try_pages(&self, mut pages: Vec<Page<'_>>, id: &OperationId) -> Result<bool, Fault> {
        let sent = Sent::default();
        let mut attempt = 0;
        loop {
            let counts = pages.iter().map(|page| page.count(&sent, &self.table));
            let token = format!("notice-{}-{attempt}", id.as_str());
            let Written::Cancelled(reasons) = self.table.transact(&token, counts).await? else {
                return Ok(true);
            };
            for (page, reason) in pages.iter_mut().zip(&reasons) {
                if condition_failed(reason) {
                    page.refused(reason.item(), Owed::default())?;
                }
            }
            let unread = pages.iter().map(Page::unread).collect();
            read(self, &mut pages, unread, Owed::default()).await?;
            if pages.iter_mut().any(|page| page.move_on().is_some()) {
                return Ok(false);
            }
            attempt += 1;
        }
    }
}
