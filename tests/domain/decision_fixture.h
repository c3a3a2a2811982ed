// The input of a decision, for one test: four gateways, gxy1 … gxy4, in scale mode. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "domain/decision.h"
#include "ledger_steps.h"

namespace domain_test {

struct DecisionFixture {
  domain::Options options;
  std::vector<domain::Gateway> gateways;
  std::vector<domain::Room> rooms;
  domain::Ledger ledger;
  domain::GatewayHealth health;
  domain::StoreView store_view;
  std::chrono::seconds now{0};

  DecisionFixture() {
    options.scale = true;
    for (int i = 1; i <= 4; ++i) {
      domain::Gateway gateway;
      gateway.id = domain::RowId(i);
      gateway.name = "gxy" + std::to_string(i);
      gateways.push_back(gateway);
    }
  }
  domain::Policy policy() {
    return domain::Policy(options, std::make_shared<domain::Catalogue>(gateways, rooms), ledger.gateways());
  }
  // "gateway reason", "book gateway reason", "pending", or the code of a refusal.
  std::string ask(const domain::Question& question, std::vector<domain::Verdict>* verdicts = nullptr) {
    using Kind = domain::Decision::Kind;
    const domain::Policy with = policy();
    const auto decision = domain::decide({with, ledger, health, at(now).service, store_view}, question, verdicts);
    if (decision.kind == Kind::refused) return std::string(code_of(decision.refusal));
    if (decision.kind == Kind::pending) return "pending";
    return (decision.kind == Kind::booking ? "book " : "") + ledger.name_of(*decision.gateway) + " " +
           std::string(to_text(decision.reason));
  }
};

}  // namespace domain_test
