def test_open(cast, mara):
    cast.sale("10482")
    cast.approved_sale("10400")
    for path in [
        "",
        "applications",
        "partners",
        "goals",
        "conversions",
        "commissions",
        "payouts",
        "ledger",
        "settings",
        "plans",
        "tracking",
        "requests",
        "rejected",
        "history",
        "partners.csv",
        "conversions.csv",
        "commissions.csv",
        "ledger.csv",
    ]:
        r = mara.get(f"/console/casa/{path}")
        assert r.status_code == 200, (path, r.status_code, r.text[:3000])
