#include "app/book_room.h"

#include <optional>
#include <string>
#include <utility>

#include "logging/log.h"

namespace app {
namespace {

using domain::EvacuationCause;

// A room that is to go to its pin is not asked for again at other sidecars within this time.
constexpr std::chrono::seconds believed_elsewhere{10};

struct Booking {
  domain::RoomId room;
  std::string country;
  domain::Decision decision;
  std::string left;     // the gateway that holds the room now, or ""
  bool answers_caller;  // the caller is answered with it
  AssignedBy by;
  bool has_region;  // the caller's country
  std::string request_id;
  std::shared_ptr<Claim> claim;

  bool replaces() const { return !left.empty(); }
  bool evacuates() const { return decision.evacuation_cause != EvacuationCause::none; }
};

void count_outcome(Registry::Transaction& transaction, const Booking& booking, bool won) {
  RoomCounts& counts = transaction.counts();
  if (won) (booking.replaces() ? counts.moved : counts.created)[booking.by].add();
  const domain::Ledger::Room* room = transaction.ledger().find(booking.room);
  if (!won && booking.replaces() && !(room && room->held)) counts.removed[RemovedBy::mode_change].add();
  // Where a pin or its users had it go there was no choice.
  if (!won || booking.by != AssignedBy::answer || booking.decision.ground != domain::Decision::Ground::load) return;
  const RegionalMatch without = booking.has_region ? RegionalMatch::miss : RegionalMatch::no_region;
  counts.regional[booking.decision.regional_match ? RegionalMatch::match : without].add();
}

void log_won(const Booking& booking, const std::string& gateway) {
  if (booking.evacuates()) {
    logging::info(booking.decision.evacuation_cause == EvacuationCause::offline
                      ? "Room reassigned from offline server"
                      : "Room reassigned from draining server",
                  {{"room_id", booking.room}, {"old_server", booking.left}, {"new_server", gateway}});
  } else {
    logging::info("Assigned room to server", {{"room_id", booking.room},
                                              {"gateway_name", gateway},
                                              {"country_code", booking.country},
                                              {"regional_match", booking.decision.regional_match}});
  }
}

void settle(Registry& registry, const Booking& booking, const Grant& grant) {
  const logging::RequestScope scope(booking.request_id);
  const std::string& holder = grant.row.gateway_name;
  const bool won = grant.outcome == ClaimOutcome::won;
  {
    Registry::Transaction transaction(registry);
    domain::Ledger& ledger = transaction.ledger();
    if (won) {
      ledger.confirm(booking.room, ledger.number_of(holder));
      transaction.arrived();
    } else {
      ledger.withdraw(booking.room);
    }
    if (grant.outcome == ClaimOutcome::lost) {
      ledger.follow(grant.row);
      if (booking.replaces()) ledger.note_elsewhere(booking.room, transaction.now().service + believed_elsewhere);
    }
    if (won && booking.evacuates()) ledger.note_move(booking.room, *booking.decision.leaves, booking.answers_caller);
    count_outcome(transaction, booking, won);
    transaction.claims_in_flight().remove(booking.room);
  }
  if (won) log_won(booking, holder);
  // Before a waiting caller is answered, so that the caller finds it. Other sidecars record their own decisions.
  if (won || grant.outcome == ClaimOutcome::failed) {
    auto whole = booking.claim->conclude(won ? std::optional(holder) : std::nullopt);
    if (whole) registry.decision_log().add(std::move(*whole));
  }
  booking.claim->settle(grant.outcome);
}

std::optional<std::string> name_of(const domain::Ledger& ledger, std::optional<domain::GatewayId> gateway) {
  return gateway ? std::optional(ledger.name_of(*gateway)) : std::nullopt;
}

}  // namespace

std::shared_ptr<Claim> book_room(Registry::Transaction& transaction, const domain::Question& question,
                                 const domain::Decision& decision, AssignedBy by) {
  domain::Ledger& ledger = transaction.ledger();
  const domain::Moment now = transaction.now();
  Booking booking;
  booking.room = question.room;
  booking.country = question.country;
  booking.decision = decision;
  booking.answers_caller = question.asker != domain::Question::Asker::mover;
  booking.by = by;
  booking.has_region = transaction.policy().placement().has_region(question.country);
  booking.claim = std::make_shared<Claim>();

  ClaimRequest request;
  if (booking.evacuates()) {
    const domain::Evacuation* evacuation = ledger.evacuations().find(*decision.leaves);
    if (evacuation) request.standby_before = name_of(ledger, evacuation->standby);
    // Written together with the booking.
    ledger.begin_evacuation(*decision.leaves, decision.standby);
    transaction.pass_on_changes();
    booking.by = decision.evacuation_cause == EvacuationCause::offline ? AssignedBy::failover : AssignedBy::drain;
  }
  const domain::Ledger::Room* before = ledger.find(booking.room);
  if (before && before->held) {
    booking.left = ledger.name_of(before->held->gateway);
    request.kind = booking.evacuates() ? ClaimRequest::Kind::moved : ClaimRequest::Kind::instead;
    request.leaves = booking.left;
    request.standby = name_of(ledger, decision.standby);
  }
  request.row = {booking.room, ledger.name_of(*decision.gateway), decision.region, now.wall, now.wall};
  request.is_used_here = booking.answers_caller;
  booking.request_id =
      transaction.decision_notes().note(transaction.input(), question, decision, booking.claim, now.wall);
  ledger.book(booking.room, *decision.gateway, decision.region, now);
  transaction.health().booked(*decision.gateway, now.service);
  transaction.claims_in_flight().add(booking.room, booking.claim);
  auto claim = booking.claim;
  Registry& registry = transaction.registry();
  registry.claims().claim(std::move(request), [&registry, booking = std::move(booking)](const Grant& grant) {
    settle(registry, booking, grant);
  });
  return claim;
}

}  // namespace app
