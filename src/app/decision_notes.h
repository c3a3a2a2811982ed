// The decisions of one transaction, to be recorded in the decision log once its lock is released. One thread at a
// time; nothing fails.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/claim.h"
#include "app/decision_log.h"
#include "domain/decision.h"

namespace app {

class DecisionNotes {
 public:
  // Notes what was decided; `claim`: the one that decides whether it comes about. Returns the request's id.
  std::string note(const domain::DecisionInput& input, const domain::Question& question,
                   const domain::Decision& decision, std::shared_ptr<Claim> claim, domain::WallTime now);
  // Notes a refusal, and returns what each gateway looked like.
  Candidates note_refusal(const domain::DecisionInput& input, const domain::Question& question,
                          const domain::Decision& decision, domain::WallTime now);
  // An operator released the room.
  void note_release(const domain::RoomId& room, const std::string& left, domain::WallTime now);

  bool empty() const { return notes_.empty(); }
  // Without the registry's lock.
  void record(DecisionLog& log);

 private:
  struct Note {
    DecisionRecord record;
    std::shared_ptr<Claim> claim;  // none: refused
  };
  Note& add(const domain::RoomId& room, DecisionRecord::Asker asker, domain::WallTime now);
  Note& add(const domain::DecisionInput& input, const domain::Question& question, const domain::Decision& decision,
            domain::WallTime now);

  std::vector<Note> notes_;
};

}  // namespace app
