"""People, roles and projects → the documents of `spec/views`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.domain.rights import GRANTED_WITH_ANY, Binding, Role
from podium.domain.tenancy import (
    Group,
    Membership,
    Project,
    Team,
    Token,
    TokenKind,
    User,
    UserSource,
)
from podium.intake.sessions import SIGN_INS
from podium.spec.views.access import (
    AccessHolderView,
    BindingView,
    GroupMemberView,
    PathView,
    RoleView,
    UserGroupView,
)
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.tenancy import (
    AccountView,
    MembershipView,
    MemberView,
    ProjectView,
    TeamView,
    TokenView,
    UserDetailView,
    UserView,
)
from podium.store.access import Holder, Path
from podium.store.user_groups import GroupMember


def user_view(user: User, *, administrator: bool) -> UserView:
    return UserView(
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        source=user.source,
        administrator=administrator,
        created_at=utc(user.created_at_ms),
        disabled_at=utc_or_none(user.disabled_at_ms),
        last_sign_in_at=utc_or_none(user.last_sign_in_at_ms),
    )


def project_view(project: Project) -> ProjectView:
    return ProjectView(
        name=project.name,
        team=project.team,
        created_at=utc(project.created_at_ms),
        cost_centre=project.cost_centre,
        moved_at=utc_or_none(project.moved_at_ms),
        archived_at=utc_or_none(project.archived_at_ms),
    )


def member_view(member: Membership) -> MemberView:
    return MemberView(project=member.project, username=member.username, role=member.role)


def token_view(token: Token, *, current: bool = False) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        kind=token.kind,
        created_at=utc(token.created_at_ms),
        created_by=token.created_by,
        expires_at=utc_or_none(token.expires_at_ms),
        last_used_at=utc_or_none(token.last_used_at_ms),
        idle_hours=None if token.idle_ms is None else token.idle_ms / 3_600_000,
        actions=None if token.actions is None else sorted(token.actions),
        projects=None if token.projects is None else sorted(token.projects),
        source=token.source,
        user_agent=token.user_agent,
        provider=token.provider,
        made_with=token.mother,
        current=current,
    )


def user_detail_view(
    user: User,
    *,
    administrator: bool,
    groups: Mapping[str, UserSource],
    paths: Sequence[Path],
    counts: Mapping[tuple[str, TokenKind], int],
) -> UserDetailView:
    return UserDetailView(
        **dict(user_view(user, administrator=administrator)),
        groups=[MembershipView(name=name, source=source) for name, source in groups.items()],
        paths=[path_view(each) for each in paths],
        sign_ins=sum(counts.get((user.username, kind), 0) for kind in SIGN_INS),
        tokens=counts.get((user.username, TokenKind.TOKEN), 0),
    )


def account_view(account: User, *, tokens: int, paths: Sequence[Path]) -> AccountView:
    return AccountView(
        name=account.username,
        project=account.project,
        display_name=account.display_name,
        created_at=utc(account.created_at_ms),
        disabled_at=utc_or_none(account.disabled_at_ms),
        tokens=tokens,
        paths=[path_view(each) for each in paths],
    )


def role_view(role: Role, bindings: int | None) -> RoleView:
    return RoleView(
        name=role.name,
        description=role.description,
        actions=sorted(role.actions | GRANTED_WITH_ANY),
        built_in=role.built_in,
        bindings=bindings,
    )


def binding_view(binding: Binding) -> BindingView:
    return BindingView(
        id=binding.id,
        subject_kind=binding.subject_kind,
        subject=binding.subject,
        role=binding.role,
        level=binding.level,
        target=binding.target,
        created_at=utc(binding.created_at_ms),
        created_by=binding.created_by,
    )


def path_view(path: Path) -> PathView:
    return PathView(**dict(binding_view(path.binding)), group=path.group)


def holder_view(holder: Holder) -> AccessHolderView:
    return AccessHolderView(
        username=holder.user.username,
        kind=holder.user.kind,
        display_name=holder.user.display_name,
        paths=[path_view(each) for each in holder.paths],
    )


def group_view(group: Group, members: int) -> UserGroupView:
    return UserGroupView(
        name=group.name,
        source=group.source,
        members=members,
        created_at=utc(group.created_at_ms),
    )


def group_member_view(member: GroupMember) -> GroupMemberView:
    return GroupMemberView(
        group=member.group,
        username=member.username,
        display_name=member.display_name,
        disabled=member.disabled,
        source=member.source,
    )


def team_view(team: Team) -> TeamView:
    return TeamView(
        name=team.name,
        cost_centre=team.cost_centre,
        created_at=utc(team.created_at_ms),
        archived_at=utc_or_none(team.archived_at_ms),
    )
